"""
Carrying requests to the service: many in one call where they tell of history, else each alone.

    delivered -> a carrier -> the service
        ^                        |
        +-- may pass: again -----+
"""

from __future__ import annotations

import abc
import asyncio
import re

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from clientela.adapters.cli.connection import Connection, refused
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

CALLS_MAX = 32
"""Calls of one request each, at once."""

ATTEMPTS_MAX = 8
"""How often a request is tried while the service is too busy or away."""

PAUSE_SECONDS = 0.25
"""Before the second attempt; twice as long before each further one."""

RETRIED = frozenset(
    {
        "",
        "OVERLOADED",
        "RATE_LIMITED",
        "VERSION_CONFLICT",
        "STORE_UNAVAILABLE",
        "DEADLINE_EXCEEDED",
    }
)
"""Reasons for which the same request may do better later; empty where nobody was reached."""

FATAL = RETRIED | {
    "UNAUTHENTICATED",
    "ACCESS_DENIED",
    "STORE_UNSUITABLE",
    "INTERNAL",
    "UNIMPLEMENTED",
}
"""Reasons for which no further request is tried."""

_FIELDS: dict[type, str] = {
    RegisterClientRequest: "register_client",
    RecordPurchaseRequest: "record_purchase",
    RecordReturnRequest: "record_return",
    RecordInteractionRequest: "record_interaction",
}

_NO_CLIENT = "no client of this name; register it, or say --create-clients"

_PLACE = re.compile(r"\bcommands\[\d+\]\.\w+\.")
"""Where a field stands in a call of many; of one request it is left out."""


@attrs.frozen(kw_only=True)
class Said:
    """
    What a request came to.

    Attributes:
        is_new: Whether it changed something; what was so already, or done before, did not.

        client_id: The client whom it names, registered or found.

        unmatched_lines: Lines of a return whose purchase is not known.
    """

    is_new: bool
    client_id: str
    unmatched_lines: int = 0


class Carrier(abc.ABC):
    """A way for requests."""

    @abc.abstractmethod
    async def carry(self, requests: Sequence[Any]) -> list[Said | VerbError]:
        """
        What each of *requests* came to, or why it was refused.

        Those of one client are carried out in this order.

        Raises:
            VerbError: the service is away or takes nothing from us; some may have been carried out.
        """


async def delivered(carrier: Carrier, requests: Sequence[Any]) -> list[Said | VerbError]:
    """
    What each of *requests* came to, or why it was refused; what may pass is tried again.

    Raises:
        VerbError: the service is away, or takes nothing from us.
    """
    said: dict[int, Said | VerbError] = {}
    left = list(range(len(requests)))
    for attempt in range(ATTEMPTS_MAX):
        if attempt:
            await asyncio.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        said.update(zip(left, await _tried(carrier, [requests[i] for i in left]), strict=True))
        left = [i for i in left if _reason(said[i]) in RETRIED]
        if not left:
            break
    answers = [said[i] for i in range(len(requests))]
    for answer in answers:
        if isinstance(answer, VerbError) and answer.reason in FATAL:
            raise answer
    return answers


async def _tried(carrier: Carrier, requests: list[Any]) -> list[Said | VerbError]:
    try:
        return await carrier.carry(requests)
    except VerbError as error:
        if error.reason not in RETRIED:
            raise
        return [error] * len(requests)


def _reason(said: Said | VerbError) -> str | None:
    return said.reason if isinstance(said, VerbError) else None


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
        said: list[Said | VerbError] = []
        for part in _parts(requests):
            said.extend(await self._carried(part))
        return said

    async def _carried(self, part: list[Any]) -> list[Said | VerbError]:
        commands = [HistoryCommand(**{_FIELDS[type(each)]: each}) for each in part]
        request = RecordHistoryRequest(commands=commands)
        try:
            answer = await self._connection.call(self._service.RecordHistory, request)
        except VerbError as error:
            if error.reason != MALFORMED:
                raise
            if len(part) == 1:
                return [VerbError(error.code, _PLACE.sub("", error.problem), reason=MALFORMED)]
            # Nothing was begun: each goes alone, so that only the one at fault is refused.
            return [said for each in part for said in await self._carried([each])]
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

        async def carried(lane: list[int]) -> None:
            for place in lane:
                async with self._room:
                    said[place] = await self._carried(requests[place])

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
    return Said(
        is_new=bool(outcome.events) and not outcome.replayed,
        client_id=result.client_id,
        unmatched_lines=result.unmatched_lines,
    )
