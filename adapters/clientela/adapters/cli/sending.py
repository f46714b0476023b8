"""
Sending the entries of a file: those of one client one after the other, those of many at once.

    entries -> flights: first the clients that are not known, then the entries, one call each

What is sent names itself by file and line, so whatever was sent before is found done, be it by a
run that was killed or by another one at the same time. What cannot be reached is tried again for a
while; then the run ends, and the next one goes on.
"""

from __future__ import annotations

import asyncio

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from clientela.adapters.cli.carrying import CallCarrier, HistoryCarrier
from clientela.adapters.cli.connection import Connection
from clientela.adapters.cli.delivery import Carrier, Said, delivered
from clientela.adapters.cli.entry_requests import interaction, purchase, registration, return_
from clientela.adapters.cli.failure import VerbError
from clientela.adapters.cli.flights import Flights
from clientela.adapters.cli.known_clients import KnownClients
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


FLIGHTS_MAX = 4
"""Flights in the air."""

DIGEST_LENGTH = 32
"""Characters of the digest in the ids of requests."""


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
        self._mapping = mapping
        self._prefix = f"{digest[:DIGEST_LENGTH]}/{mapping.kind}"
        self._tally = tally
        self._rejects = rejects
        # What does not say when it happened is decided now, and is no history.
        is_history = mapping.when is not None
        self._carrier: Carrier = (HistoryCarrier if is_history else CallCarrier)(connection)
        self._clients = KnownClients(
            connection,
            self._carrier,
            source=mapping.source,
            prefix=self._prefix,
            tally=tally,
            creates_clients=creates_clients,
        )

    async def send(self, entries: Iterable[Entry | BadRow], seen: Callable[[int], None]) -> None:
        """
        Send *entries* until there are no more.

        Args:
            entries: In the order of the file.

            seen: Told of the last line whenever another entry was taken.

        Raises:
            VerbError: the service is away, or takes nothing from us.
        """
        flights = Flights(self._usable(entries, seen))
        in_air: dict[asyncio.Task[None], list[Entry]] = {}
        try:
            while True:
                while len(in_air) < FLIGHTS_MAX and (load := flights.start()):
                    in_air[asyncio.create_task(self._flown(load))] = load
                    # It is off before more is read.
                    await asyncio.sleep(0)
                if not in_air:
                    return
                landed, _ = await asyncio.wait(in_air, return_when=asyncio.FIRST_COMPLETED)
                for flight in landed:
                    flights.land(in_air.pop(flight))
                    flight.result()
        finally:
            for flight in in_air:
                flight.cancel()
            await asyncio.gather(*in_air, return_exceptions=True)

    def _usable(
        self, entries: Iterable[Entry | BadRow], seen: Callable[[int], None]
    ) -> Iterator[Entry]:
        """The entries; rows that cannot be used are listed."""
        for entry in entries:
            if isinstance(entry, BadRow):
                self._reject(entry.line, entry.error.reason, entry.error.text)
            else:
                seen(entry.lines[-1])
                yield entry

    async def _flown(self, load: list[Entry]) -> None:
        left = load
        while left:
            left = await self._taken(left)

    async def _taken(self, entries: list[Entry]) -> list[Entry]:
        """
        Send *entries*.

        Returns:
            Those left: of clients who are not known yet, the first entry of each was refused.
        """
        if self._mapping.is_own_client_id or isinstance(entries[0], ClientEntry):
            await self._sent(entries, {})
            return []
        first: dict[str, Entry] = {}
        for entry in entries:
            first.setdefault(entry.client, entry)
        ids = await self._clients.ids(first.values(), self._refuse)
        await self._sent([entry for entry in entries if entry.client in ids], ids)
        return [e for e in entries if e.client not in ids and e is not first[e.client]]

    async def _sent(self, entries: Iterable[Entry], ids: Mapping[str, str]) -> None:
        """Send entries; *ids* tells what clients are called here, if not as in the file."""
        sent: list[Entry] = []
        requests: list[Any] = []
        for entry in entries:
            try:
                request = self._request(entry, ids.get(entry.client, entry.client))
            except ValueError:
                self._refuse_for(entry, "VALUE", "a value that the field can have")
                continue
            request.request_id = f"{self._prefix}/{entry.lines[0]}"
            sent.append(entry)
            requests.append(request)
        for entry, said in zip(sent, await delivered(self._carrier, requests), strict=True):
            self._tell(entry, said)

    def _request(self, entry: Entry, client_id: str) -> Any:
        match entry:
            case ClientEntry():
                own = self._mapping.is_own_client_id
                source = None if own else self._clients.key(entry.client)
                return registration(entry, source, entry.client if own else "")
            case PurchaseEntry():
                return purchase(entry, client_id)
            case ReturnEntry():
                return return_(entry, client_id)
            case InteractionEntry():
                return interaction(entry, client_id)
            case _:
                raise AssertionError

    def _tell(self, entry: Entry, said: Said | VerbError) -> None:
        if isinstance(said, VerbError):
            self._refuse(entry, said)
            return
        self._tally.entries[entry.kind.value] += 1
        self._tally.unmatched_lines += said.unmatched_lines
        if said.is_new:
            self._tally.recorded += len(entry.lines)
        elif said.is_unsure:
            self._tally.unsure += len(entry.lines)
        else:
            self._tally.already += len(entry.lines)

    def _refuse(self, entry: Entry, error: VerbError) -> None:
        self._refuse_for(entry, error.reason, error.problem)

    def _refuse_for(self, entry: Entry, reason: str, text: str) -> None:
        for line in entry.lines:
            self._reject(line, reason, text)

    def _reject(self, line: int, reason: str, text: str) -> None:
        self._tally.rejected[reason] += 1
        self._rejects.write(line, reason, text)
