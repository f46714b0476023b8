"""
Known clients: what clients of a file are called here, registered or looked up on the way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from clientela.adapters.cli.carrying import CallCarrier
from clientela.adapters.cli.connection import Connection
from clientela.adapters.cli.delivery import Carrier, Said, delivered
from clientela.adapters.cli.entry_requests import registration
from clientela.adapters.cli.failure import VerbError
from clientela.adapters.imports.entries import ClientEntry, Entry
from clientela.adapters.imports.tally import Tally
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, Code
from clientela.services.translate.messages import business_key
from clientela.v1.client_pb2 import FindClientsRequest, RegisterClientRequest


CLIENTS_MAX = 100_000
"""Clients whose ids are remembered; the longest unused goes first."""

_KNOWN_ALREADY = frozenset(
    {"CLIENT_REGISTERED", "SOURCE_TAKEN", "CLIENT_ERASED", "IDEMPOTENCY_MISMATCH"}
)
"""Reasons for which a client is looked up instead."""


class KnownClients:
    """
    Finds out the ids of clients.

    Args:
        connection: To the service.

        carrier: Carries registrations.

        source: The system that names the clients.

        prefix: How ids of requests begin.

        tally: Counts clients that are registered.

        creates_clients: Whether clients that are not known are registered.
    """

    def __init__(
        self,
        connection: Connection,
        carrier: Carrier,
        *,
        source: str,
        prefix: str,
        tally: Tally,
        creates_clients: bool,
    ) -> None:
        self._calls = CallCarrier(connection)
        self._carrier = carrier
        self._source = Code(source)
        self._prefix = prefix
        self._tally = tally
        self._creates_clients = creates_clients
        self._ids: OrderedDict[str, str] = OrderedDict()

    def key(self, name: str) -> BusinessKey:
        """What the system calls a client."""
        return BusinessKey(self._source, BusinessId(name))

    async def ids(
        self, entries: Iterable[Entry], refuse: Callable[[Entry, VerbError], None]
    ) -> dict[str, str]:
        """
        The ids of the clients of *entries*, by their names.

        Args:
            entries: One of each client.

            refuse: Told of an entry whose client is not known, and why.

        Raises:
            VerbError: the service is away, or takes nothing from us.
        """
        ids: dict[str, str] = {}
        asked: list[Entry] = []
        for entry in entries:
            known = self._ids.get(entry.client)
            if known is None:
                asked.append(entry)
            else:
                self._ids.move_to_end(entry.client)
                ids[entry.client] = known
        if asked:
            ids |= self._kept(asked, await self._answers(asked), refuse)
        return ids

    async def _answers(self, asked: list[Entry]) -> list[Said | VerbError]:
        """Who each client is, registered now or before."""
        if not self._creates_clients:
            return await self._looked_up(asked)
        answers = await delivered(self._carrier, [self._registration(entry) for entry in asked])
        there = [place for place, said in enumerate(answers) if _is_there(said)]
        found = await self._looked_up([asked[place] for place in there])
        for place, said in zip(there, found, strict=True):
            answers[place] = said
        return answers

    async def _looked_up(self, asked: list[Entry]) -> list[Said | VerbError]:
        keys = [business_key(self.key(entry.client)) for entry in asked]
        return await delivered(self._calls, [FindClientsRequest(source=key) for key in keys])

    def _registration(self, entry: Entry) -> RegisterClientRequest:
        bare = ClientEntry(
            lines=entry.lines,
            client=entry.client,
            when=entry.when,
            details={},
            identifiers=(),
        )
        request = registration(bare, self.key(entry.client), "")
        request.request_id = f"{self._prefix}/{entry.lines[0]}/client"
        return request

    def _kept(
        self,
        asked: list[Entry],
        answers: list[Said | VerbError],
        refuse: Callable[[Entry, VerbError], None],
    ) -> dict[str, str]:
        ids: dict[str, str] = {}
        for entry, said in zip(asked, answers, strict=True):
            if isinstance(said, VerbError):
                refuse(entry, said)
                continue
            self._tally.clients += said.is_new
            self._tally.clients_unsure += said.is_unsure
            ids[entry.client] = self._ids[entry.client] = said.client_id
        while len(self._ids) > CLIENTS_MAX:
            self._ids.popitem(last=False)
        return ids


def _is_there(said: Said | VerbError) -> bool:
    """Whether a client was not registered because one of this name is there."""
    return isinstance(said, VerbError) and said.reason in _KNOWN_ALREADY
