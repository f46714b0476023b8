"""
A company with keys, for tests of vaults and rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clientela.adapters.keys.keyring import Keyring, fresh_keyring
from clientela.adapters.keys.rows import KeyRow, MemoryKeys
from clientela.adapters.vault import KeyVault
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    EventId,
    JournalId,
    client_journal,
    employee_journal,
)
from clientela.domain.personal import (
    Personal,
    Sealed,
)


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(days=30)
PETRA = client_journal(ClientId("petra"))
OLGA = client_journal(ClientId("olga"))
IVO = employee_journal(EmployeeId("ivo"))
EVENT = EventId("0195-4711")
NAME = Code("name")
TEXT = "Petra Квитко-Гай"


class Memory:
    """
    A keyring kept in memory, where another process may change it.
    """

    def __init__(self) -> None:
        self.ring = fresh_keyring(AT)

    def load(self) -> Keyring:
        return self.ring

    def create(self) -> Keyring:
        return self.ring

    def replace(self, old: Keyring, new: Keyring) -> None:
        assert old == self.ring
        self.ring = new


class Company:
    """
    A keyring, a table of rows, a clock that stands, and a vault over them.
    """

    def __init__(self) -> None:
        self.secrets = Memory()
        self.table = MemoryKeys(self.secrets.ring.current.id)
        self.seconds = 0.0
        self.looked_up: list[JournalId] = []
        self.vault = self.another_process()

    def another_process(self) -> KeyVault:
        return KeyVault(self.secrets, self, lambda: self.seconds)

    def find(self, person: JournalId) -> KeyRow | None:
        self.looked_up.append(person)
        return self.table.find(person)

    def seal(self, person: JournalId = PETRA, text: str = TEXT, field: Code = NAME) -> Sealed:
        """
        A value sealed in a session of its own and committed.
        """
        session = self.vault.session()
        sealed = session.seal(Personal(text), person, EVENT, field)
        self.table.apply(session.changes)
        return sealed

    def erase(self, person: JournalId) -> None:
        """
        What one process does to erase a person.
        """
        session = self.vault.session()
        session.forget(person)
        self.table.apply(session.changes)
        self.vault.forget(person)


def secrets_of(ring: Keyring) -> dict[str, bytes]:
    """
    Every secret of a ring, by a name that may be shown.
    """
    found = {"current": ring.current.key, "lookup": ring.lookup, "company": ring.company}
    if ring.retiring:
        found["retiring"] = ring.retiring.key
    return {name: secret.reveal() for name, secret in found.items()}
