"""
Sending the entries of a file: those of one client one after the other, those of many at once.

What is sent names itself by file and line, so whatever was sent before is found done, be it by a
run that was killed or by another one at the same time. What cannot be reached is tried again for a
while; then the run ends, and the next one goes on.
"""

from __future__ import annotations

import asyncio

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from clientela.adapters.cli.connection import Connection
from clientela.adapters.cli.entry_requests import interaction, purchase, registration, return_
from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.imports.entries import (
    ClientEntry,
    Entry,
    InteractionEntry,
    PurchaseEntry,
    ReturnEntry,
)
from clientela.adapters.imports.lines import BadRow
from clientela.adapters.imports.mapping import FileMapping
from clientela.adapters.imports.tally import Rejects, Tally
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, Code
from clientela.services.history import CLOCK_HEADER, OCCURRED
from clientela.services.translate.messages import business_key
from clientela.v1.client_pb2 import FindClientsRequest
from clientela.v1.client_pb2_grpc import ClientServiceStub
from clientela.v1.interaction_pb2_grpc import InteractionServiceStub
from clientela.v1.purchase_pb2_grpc import PurchaseServiceStub


IN_FLIGHT = 32
"""Requests at once."""

WAITING_MAX = 1_024
"""Entries read ahead; those of one client wait for each other."""

KNOWN_CLIENTS_MAX = 100_000
"""Clients whose ids are remembered; the longest unused goes first."""

ATTEMPTS_MAX = 8
"""How often a request is tried while the service is too busy or away."""

PAUSE_SECONDS = 0.25
"""Before the second attempt; twice as long before each further one."""

DIGEST_LENGTH = 32
"""Characters of the digest in the ids of requests."""

RETRIED = frozenset(
    {
        "OVERLOADED",
        "RATE_LIMITED",
        "VERSION_CONFLICT",
        "STORE_UNAVAILABLE",
        "DEADLINE_EXCEEDED",
    }
)
"""Reasons for which the same request may do better later."""

FATAL = frozenset({"", "UNAUTHENTICATED", "ACCESS_DENIED", "STORE_UNSUITABLE", "INTERNAL"})
"""Reasons for which no further row is tried."""

_NO_CLIENT = "no client of this name; register it, or say --create-clients"


class Sender:
    """
    Sends entries.

    Args:
        connection: Where to.

        mapping: What the file tells of.

        digest: Of the file, hex.

        tally: Counts what becomes of rows.

        rejects: Takes rows that were refused.

        creates_clients: Whether clients that are not known are registered.
    """

    def __init__(
        self,
        connection: Connection,
        mapping: FileMapping,
        digest: str,
        *,
        tally: Tally,
        rejects: Rejects,
        creates_clients: bool,
    ) -> None:
        self._connection = connection
        self._mapping = mapping
        self._prefix = f"{digest[:DIGEST_LENGTH]}/{mapping.kind}"
        self._tally = tally
        self._rejects = rejects
        self._creates_clients = creates_clients
        self._clients = ClientServiceStub(connection.channel)
        self._purchases = PurchaseServiceStub(connection.channel)
        self._interactions = InteractionServiceStub(connection.channel)
        self._known: OrderedDict[str, str] = OrderedDict()
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)
        self._waiting = asyncio.Semaphore(WAITING_MAX)
        self._last: dict[str, asyncio.Task[None]] = {}

    async def send(self, entries: Iterable[Entry | BadRow], seen: Callable[[int], None]) -> None:
        """
        Send *entries* until there are no more.

        Args:
            entries: In the order of the file.

            seen: Told of the last line whenever another entry was taken.

        Raises:
            VerbError: the service is away, or takes nothing from us.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for entry in entries:
                    if isinstance(entry, BadRow):
                        self._reject(entry.line, entry.error.reason, entry.error.text)
                        continue
                    await self._waiting.acquire()
                    before = self._last.get(entry.client)
                    task = group.create_task(self._sent(entry, before))
                    self._last[entry.client] = task
                    seen(entry.lines[-1])
        except* VerbError as failed:
            raise failed.exceptions[0] from None

    async def _sent(self, entry: Entry, before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait({before})
            async with self._in_flight:
                await self._taken(entry)
        finally:
            self._waiting.release()
            if self._last.get(entry.client) is asyncio.current_task():
                del self._last[entry.client]

    async def _taken(self, entry: Entry) -> None:
        try:
            answer = await self._answer(entry)
        except VerbError as error:
            if error.reason in FATAL or error.reason in RETRIED:
                raise
            self._refuse(entry, error.reason, error.problem)
            return
        except ValueError:
            self._refuse(entry, "VALUE", "a value that the field can have")
            return
        rows = len(entry.lines)
        self._tally.entries[entry.kind.value] += 1
        if answer.outcome.events and not answer.outcome.replayed:
            self._tally.recorded += rows
        else:
            self._tally.already += rows
        if isinstance(entry, ReturnEntry):
            self._tally.unmatched_lines += len(answer.unmatched)

    async def _answer(self, entry: Entry) -> Any:
        match entry:
            case ClientEntry():
                own = self._mapping.is_own_client_id
                source = None if own else self._key(entry.client)
                request: Any = registration(entry, source, entry.client if own else "")
                method: Any = self._clients.RegisterClient
            case PurchaseEntry():
                request = purchase(entry, await self._client_id(entry))
                method = self._purchases.RecordPurchase
            case ReturnEntry():
                request = return_(entry, await self._client_id(entry))
                method = self._purchases.RecordReturn
            case InteractionEntry():
                request = interaction(entry, await self._client_id(entry))
                method = self._interactions.RecordInteraction
            case _:
                raise AssertionError
        request.request_id = f"{self._prefix}/{entry.lines[0]}"
        return await self._call(method, request)

    async def _client_id(self, entry: Entry) -> str:
        """
        The id of the client here.

        Raises:
            VerbError: it is not known.
        """
        if self._mapping.is_own_client_id:
            return entry.client
        if entry.client not in self._known:
            made = await self._created(entry) if self._creates_clients else ""
            self._known[entry.client] = made or await self._found(entry.client)
            while len(self._known) > KNOWN_CLIENTS_MAX:
                self._known.popitem(last=False)
        self._known.move_to_end(entry.client)
        return self._known[entry.client]

    async def _created(self, entry: Entry) -> str:
        """The id of the client, registered now or before; empty if it can only be looked up."""
        bare = ClientEntry(
            lines=entry.lines,
            client=entry.client,
            when=entry.when,
            details={},
            identifiers=(),
        )
        request = registration(bare, self._key(entry.client), "")
        request.request_id = f"{self._prefix}/{entry.lines[0]}/client"
        try:
            answer = await self._call(self._clients.RegisterClient, request)
        except VerbError as error:
            if error.reason in _KNOWN_ALREADY:
                return ""
            raise
        self._tally.clients += bool(answer.outcome.events) and not answer.outcome.replayed
        client_id: str = answer.client.client_id
        return client_id

    async def _found(self, name: str) -> str:
        request = FindClientsRequest(source=business_key(self._key(name)))
        answer = await self._call(self._clients.FindClients, request)
        if not answer.clients:
            raise VerbError(Exit.FAILED, _NO_CLIENT, reason="CLIENT_UNKNOWN")
        client_id: str = answer.clients[0].client_id
        return client_id

    def _key(self, name: str) -> BusinessKey:
        return BusinessKey(Code(self._mapping.source), BusinessId(name))

    async def _call(self, method: Any, request: Any) -> Any:
        """The answer to a request that may be repeated."""
        is_told = request.DESCRIPTOR.fields_by_name.get("occurred_at") is not None
        more = _HISTORY if is_told and request.HasField("occurred_at") else ()
        for attempt in range(ATTEMPTS_MAX - 1):
            try:
                return await self._connection.call(method, request, more=more)
            except VerbError as error:
                if error.reason and error.reason not in RETRIED:
                    raise
            await asyncio.sleep(PAUSE_SECONDS * 2**attempt)
        return await self._connection.call(method, request, more=more)

    def _refuse(self, entry: Entry, reason: str, text: str) -> None:
        for line in entry.lines:
            self._reject(line, reason, text)

    def _reject(self, line: int, reason: str, text: str) -> None:
        self._tally.rejected[reason] += 1
        self._rejects.write(line, reason, text)


_HISTORY = ((CLOCK_HEADER, OCCURRED),)

_KNOWN_ALREADY = frozenset(
    {"CLIENT_REGISTERED", "SOURCE_TAKEN", "CLIENT_ERASED", "IDEMPOTENCY_MISMATCH"}
)
"""Reasons for which a client is looked up instead."""
