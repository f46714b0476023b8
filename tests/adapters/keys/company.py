"""
A company with keys, for tests of vaults, rows and rotation.
"""

from __future__ import annotations

import contextlib

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clientela.adapters.keys.failures import KeyFileChangedError
from clientela.adapters.keys.keyring import Keyring, fresh_keyring
from clientela.adapters.memory import MemoryStore
from clientela.adapters.vault import KeySession, KeyVault
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    EventId,
    JournalId,
    client_journal,
    employee_journal,
)
from clientela.domain.personal import Personal, Sealed
from clientela.services.key_rows import KeyChanges
from clientela.services.rows import Append


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(days=30)
PETRA = client_journal(ClientId("petra"))
OLGA = client_journal(ClientId("olga"))
IVO = employee_journal(EmployeeId("ivo"))
EVENT = EventId("0195-4711")
NAME = Code("name")
TEXT = "Petra Квитко-Гай"


class MemorySecrets:
    """
    A keyring kept in memory, where several processes find it.
    """

    def __init__(self) -> None:
        self.ring = fresh_keyring(AT)

    def load(self) -> Keyring:
        return self.ring

    def create(self) -> Keyring:
        return self.ring

    def replace(self, old: Keyring, new: Keyring) -> None:
        if old != self.ring:
            raise KeyFileChangedError(Path("memory"))
        self.ring = new

    @contextlib.contextmanager
    def rotating(self) -> Generator[None]:
        yield


class Company:
    """
    A keyring, a store of rows, and a vault.
    """

    def __init__(self) -> None:
        self.secrets = MemorySecrets()
        self.store = MemoryStore()
        self.vault = KeyVault(self.secrets)

    async def session(self, vault: KeyVault | None = None) -> KeySession:
        """
        A session with the rows of everybody, as committed now.
        """
        rows = {person: await self.store.key_row(person) for person in (PETRA, OLGA, IVO)}
        return (vault or self.vault).session(rows)

    async def commit(self, changes: KeyChanges) -> None:
        """
        An append that does nothing but change keys.
        """
        await self.store.append(Append(expected={}, keys=changes))

    async def seal(self, person: JournalId = PETRA, text: str = TEXT, field: Code = NAME) -> Sealed:
        """
        A value sealed in a session of its own and committed.
        """
        session = await self.session()
        sealed = session.seal(Personal(text), person, EVENT, field)
        await self.commit(session.changes)
        return sealed

    async def open(self, sealed: Sealed, vault: KeyVault | None = None) -> str | None:
        """
        A value opened in a session of its own.
        """
        return (await self.session(vault)).open(sealed)

    async def erase(self, person: JournalId) -> None:
        """
        A person's key destroyed, and the vault told.
        """
        session = await self.session()
        session.forget(person)
        await self.commit(session.changes)
        self.vault.forget(person)


def secrets_of(ring: Keyring) -> dict[str, bytes]:
    """
    Every secret of a ring, by a name that may be shown.
    """
    found = {"current": ring.current.key, "lookup": ring.lookup, "company": ring.company}
    if ring.retiring:
        found["retiring"] = ring.retiring.key
    return {name: secret.reveal() for name, secret in found.items()}
