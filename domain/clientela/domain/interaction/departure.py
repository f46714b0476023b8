"""
Clients who leave, and why (LIFE-23, LIFE-24).
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from clientela.domain.context import Context
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import PendingEvent
from clientela.domain.facts import ClientLeft, EndKind
from clientela.domain.ids import Code
from clientela.domain.interaction.parties import OfClient
from clientela.domain.interaction.policy import InteractionPolicy, check_listed


CAUSES_MAX = 10
"""Causes one departure may name."""


@attrs.frozen(kw_only=True)
class RecordDeparture(OfClient):
    """
    The client left (LIFE-23, LIFE-24).

    Attributes:
        client_id: The client.

        causes: 1 to `CAUSES_MAX` listed causes.

        ended: Who ended the relationship.

        occurred_at: When, if not now.
    """

    causes: tuple[Code, ...]
    ended: EndKind


def record_departure(command: RecordDeparture, context: Context) -> Iterable[PendingEvent]:
    """
    Write down that the client left, for listed causes (LIFE-23).

    Raises:
        InvalidValueError: a cause is not listed, or there are none or too many.
    """
    if not 1 <= len(command.causes) <= CAUSES_MAX:
        raise InvalidValueError("causes", f"1 to {CAUSES_MAX} causes")
    causes = context.definitions.at(context.now).of(InteractionPolicy).all_leaving_causes
    check_listed("causes", command.causes, causes)
    event = ClientLeft(client_id=command.client_id, causes=command.causes, ended=command.ended)
    return (PendingEvent(event, rule="LIFE-23"),)
