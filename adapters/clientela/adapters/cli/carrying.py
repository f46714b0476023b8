"""
Carriers of requests: many in one call where they tell of history, else each alone.

Neither lets a request overtake one before it that may be carried out later.
"""

from __future__ import annotations

import asyncio
import re

from collections.abc import Iterator, Sequence
from typing import Any

from clientela.adapters.cli.connection import Connection, refused
from clientela.adapters.cli.delivery import RETRIED, Carrier, Said, reason_of, tried
from clientela.adapters.cli.failure import Exit, VerbError
from clientela.v1.client_pb2 import FindClientsRequest, FindClientsResponse, RegisterClientRequest
from clientela.v1.client_pb2_grpc import ClientServiceStub
from clientela.v1.history_pb2 import HistoryCommand, HistoryResult, RecordHistoryRequest
from clientela.v1.history_pb2_grpc import HistoryServiceStub
from clientela.v1.interaction_pb2 import RecordInteractionRequest
from clientela.v1.purchase_pb2 import RecordPurchaseRequest, RecordReturnRequest


BYTES_MAX = 512 * 1024
"""Bytes of one call, about; half of what the service takes."""

MALFORMED = "INVALID_VALUE"
"""Reason for which a call is refused whole, though the fault is one request's."""

TOO_LONG = "RESOURCE_EXHAUSTED"
"""Likewise, where that one request is longer than a call may be."""

CALLS_MAX = 32
"""Calls of one request each, at once."""

_FIELDS: dict[type, str] = {
    RegisterClientRequest: "register_client",
    RecordPurchaseRequest: "record_purchase",
    RecordReturnRequest: "record_return",
    RecordInteractionRequest: "record_interaction",
}

_NO_CLIENT = "no client of this name; register it, or say --create-clients"

_PLACE = re.compile(r"\bcommands\[\d+\]\.\w+\.")
"""Where a field stands in a call of many; of one request it is left out."""


class HistoryCarrier(Carrier):
    """
    Carries many requests in one call; each has its moment, and is decided at it.

    Args:
        connection: Where to.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = HistoryServiceStub(connection.channel)

    async def carry(self, requests: Sequence[Any]) -> list[Said | VerbError]:
        """What each of *requests* came to, or why it was refused."""
        return await self._in_turn(list(_parts(requests)))

    async def _in_turn(self, parts: list[list[Any]]) -> list[Said | VerbError]:
        """Carry part after part; nothing overtakes what may be carried out later."""
        said: list[Said | VerbError] = []
        for number, part in enumerate(parts):
            came_to = await tried(self._carried, part)
            said.extend(came_to)
            passing = next((each for each in came_to if reason_of(each) in RETRIED), None)
            if passing is not None:
                return said + [passing] * sum(map(len, parts[number + 1 :]))
        return said

    async def _carried(self, part: Sequence[Any]) -> list[Said | VerbError]:
        commands = [HistoryCommand(**{_FIELDS[type(each)]: each}) for each in part]
        request = RecordHistoryRequest(commands=commands)
        try:
            answer = await self._connection.call(self._service.RecordHistory, request)
        except VerbError as error:
            is_too_long = error.reason == TOO_LONG and part[0].ByteSize() > BYTES_MAX
            if error.reason != MALFORMED and not is_too_long:
                raise
            if len(part) == 1:
                problem = _PLACE.sub("", error.problem)
                return [VerbError(error.code, problem, reason=error.reason)]
            # Nothing was begun: each goes alone, so that only the one at fault is refused.
            return await self._in_turn([[each] for each in part])
        return [_said(result) for result in answer.results]


class CallCarrier(Carrier):
    """
    Carries registrations and look-ups by source, each in a call of its own, decided now.

    Args:
        connection: Where to.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._service = ClientServiceStub(connection.channel)
        self._room = asyncio.Semaphore(CALLS_MAX)

    async def carry(self, requests: Sequence[Any]) -> list[Said | VerbError]:
        """What each of *requests* came to, or why it was refused."""
        lanes: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            lanes.setdefault(_client(request), []).append(place)
        said: dict[int, Said | VerbError] = {}
        passing: list[VerbError] = []

        async def carried(lane: list[int]) -> None:
            for place in lane:
                async with self._room:
                    # Nothing overtakes what may be carried out later.
                    told = passing[0] if passing else await self._carried(requests[place])
                said[place] = told
                if isinstance(told, VerbError) and told.reason in RETRIED:
                    passing.append(told)

        await asyncio.gather(*map(carried, lanes.values()))
        return [said[place] for place in range(len(requests))]

    async def _carried(self, request: Any) -> Said | VerbError:
        try:
            if isinstance(request, FindClientsRequest):
                return _found(await self._connection.call(self._service.FindClients, request))
            answer = await self._connection.call(self._service.RegisterClient, request)
        except VerbError as error:
            return error
        return _said(HistoryResult(outcome=answer.outcome, client_id=answer.client.client_id))


def _client(request: Any) -> str:
    """Whom a request is about."""
    named = getattr(request, "client_id", "")
    return str(named or request.source.id)


def _found(answer: FindClientsResponse) -> Said | VerbError:
    for client in answer.clients:
        return Said(is_new=False, client_id=client.client_id)
    return VerbError(Exit.FAILED, _NO_CLIENT, reason="CLIENT_UNKNOWN")


def _parts(requests: Sequence[Any]) -> Iterator[list[Any]]:
    """*requests* in order, in parts that one call can hold."""
    part: list[Any] = []
    held = 0
    for request in requests:
        size = request.ByteSize()
        if part and held + size > BYTES_MAX:
            yield part
            part, held = [], 0
        part.append(request)
        held += size
    if part:
        yield part


def _said(result: HistoryResult) -> Said | VerbError:
    if result.HasField("refusal"):
        return refused(result.refusal)
    outcome = result.outcome
    has_changed = bool(outcome.events)
    return Said(
        is_new=has_changed and not outcome.replayed,
        client_id=result.client_id,
        unmatched_lines=result.unmatched_lines,
        is_repeat=has_changed and outcome.replayed,
    )
