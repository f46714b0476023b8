"""
Messages for a service that runs: put into its inbox as the consumer of the bus does.
"""

from __future__ import annotations

import json

from typing import Any

from clientela.adapters.messages_in import MessagesIn
from clientela.adapters.settings import Settings
from clientela.services.inbound import Inbound
from tests.system.wire import Service


def message(
    service: Service, client_id: str, receipt: str, source: str = "till", euros: int = 9
) -> Inbound:
    """A purchase of one thing."""
    body: dict[str, Any] = {
        "clientId": client_id,
        "purchase": {"source": source, "id": receipt},
        "occurredAt": "2026-03-02T09:00:00Z",
        "lines": [
            {
                "lineId": "1",
                "sku": "tea",
                "quantity": 1,
                "net": {"currencyCode": "EUR", "units": euros},
            }
        ],
    }
    own = _messages(service).own
    return Inbound(kind="purchase", body=json.dumps(body).encode(), principal=own)


async def take(service: Service, *messages: Inbound) -> list[int]:
    """Put messages in; numbers of everything that is parked."""

    async def told(*_said: object) -> None:
        """Nobody acknowledges."""

    inbox = _messages(service).replays.inbox
    await inbox.take(messages, told)
    return [kept.number for kept in await inbox.parked.page()]


def _messages(service: Service) -> MessagesIn:
    running = service.running
    settings = Settings(data_dir=service.folder)
    return MessagesIn.of(settings, running.core, running.keeper.store)
