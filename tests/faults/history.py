"""
A history that leaves something of every kind, and whether it is whole after a kill.
"""

from __future__ import annotations

import sqlite3

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import attrs

from clientela.adapters.sqlite import reading
from clientela.adapters.sqlite.connection import connect
from clientela.adapters.sqlite.erasures import ErasureList, recorded
from clientela.adapters.sqlite.values import instant, journal_of
from clientela.domain.event import Key
from clientela.domain.ids import (
    Blind,
    ClientId,
    Code,
    JournalId,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.services.envelope import BrokenChainError, check_chain
from clientela.services.key_rows import KeyChanges
from clientela.services.rows import Append, Head
from tests.adapters.appends import (
    AT,
    MINUTE,
    answered,
    audited,
    held_by,
    key_of,
    rows,
    snapshot_of,
)


EVENTS = {"client": 2, "wallet": 1}
"""Events of one append in each kind of journal."""

FORGET_EVERY = 20
"""Every so many appends of a caller erase the person of the append before."""


@attrs.frozen(order=True)
class Step:
    """
    One append of one caller.

    Attributes:
        caller: Which caller; each has a client and a wallet of its own.

        number: From 0.
    """

    caller: int
    number: int

    def __str__(self) -> str:
        return f"{self.caller}-{self.number}"

    @property
    def client(self) -> JournalId:
        """The caller's client."""
        return client_journal(ClientId(f"client-{self.caller}"))

    @property
    def wallet(self) -> JournalId:
        """The client's wallet."""
        return wallet_journal(WalletId(f"client-{self.caller}"))

    @property
    def person(self) -> JournalId:
        """A person who gets a key in this append."""
        return client_journal(ClientId(f"person-{self}"))

    @property
    def key(self) -> Key:
        """A key reserved in this append."""
        return Key(Code("purchase"), Blind(f"key-{self}"))

    @property
    def forgotten(self) -> tuple[Step, ...]:
        """The append whose person this one erases."""
        if self.number % FORGET_EVERY != FORGET_EVERY - 1:
            return ()
        return (attrs.evolve(self, number=self.number - 1),)

    def append(self, heads: Mapping[JournalId, Head]) -> Append:
        """Everything of it, following on *heads*."""
        client, wallet = self.client, self.wallet
        return Append(
            expected={journal: heads[journal].version for journal in (client, wallet)},
            events=(
                *rows(client, heads[client], EVENTS["client"], str(self)),
                *rows(wallet, heads[wallet], EVENTS["wallet"], str(self)),
            ),
            reserve=((self.key, held_by(client)),),
            release=tuple(step.key for step in self.forgotten),
            answer=answered(Blind(str(self))),
            due={client: AT + self.number * MINUTE},
            audit=(audited(str(self)),),
            keys=KeyChanges(
                made=(key_of(self.person),),
                forgotten=tuple(step.person for step in self.forgotten),
            ),
            snapshots=(snapshot_of(client, EVENTS["client"] * (self.number + 1)),),
        )


def step(name: str) -> Step:
    """The step of a name."""
    caller, number = name.split("-")
    return Step(int(caller), int(number))


def faults(path: Path, acknowledged: set[Step]) -> list[str]:
    """
    What is wrong with the database at *path*: lost, half, twice or damaged; nothing if all is well.

    Args:
        path: A database that nobody serves.

        acknowledged: What callers were told.
    """
    with closing(connect(path)) as connection:
        return [
            *reading.faults(connection),
            *_broken_chains(connection),
            *_lost_and_half(connection, acknowledged),
            *_unlisted(connection, path, acknowledged),
        ]


def _broken_chains(connection: sqlite3.Connection) -> Iterator[str]:
    heads = connection.execute("SELECT kind, id, version, hash FROM journals").fetchall()
    for kind, id_, version, hash_ in heads:
        journal = journal_of(kind, id_)
        try:
            head = check_chain(reading.read(connection, journal, 0, 1_000_000))
        except BrokenChainError as error:
            yield str(error)
        else:
            if (head.version, head.hash) != (version, hash_):
                yield f"the head of {journal} is not its last event"
        if version % EVENTS[kind]:
            yield f"{journal} ends within an append"


def _lost_and_half(connection: sqlite3.Connection, acknowledged: set[Step]) -> Iterator[str]:
    def names(statement: str) -> Counter[str]:
        return Counter(name for (name,) in connection.execute(statement))

    events = names("SELECT append_id FROM events")
    parts = {
        "answer": names("SELECT request FROM answers"),
        "audit row": names("SELECT method FROM audit"),
        "key of a person": names("SELECT substr(id, 8) FROM key_rows"),
        "event": Counter({name: 1 for name, n in events.items() if n == sum(EVENTS.values())}),
    }
    erased = names("SELECT substr(id, 8) FROM key_rows WHERE erased = 1")
    held = names("SELECT substr(value, 5) FROM keys WHERE released = 0")
    all_steps = {step(name) for part in (events, *parts.values()) for name in part}
    forgotten = {str(gone) for one in all_steps for gone in one.forgotten}
    parts["reserved key"] = held + Counter(dict.fromkeys(forgotten, 1))
    for one in sorted(acknowledged - all_steps):
        yield f"{one} was acknowledged and is lost"
    for one in sorted(all_steps):
        for part, found in parts.items():
            if found[str(one)] != 1:
                yield f"{one} has {found[str(one)]} of its {part}"
        if (str(one) in forgotten) != (str(one) in erased):
            yield f"the person of {one} is erased by half"
    yield from _last_steps(connection, all_steps)


def _last_steps(connection: sqlite3.Connection, steps: set[Step]) -> Iterator[str]:
    """Due moments and snapshots are replaced by every append: the last one's must be there."""
    due = dict(connection.execute("SELECT id, at FROM due"))
    snapshots = dict(connection.execute("SELECT id, version FROM snapshots"))
    last = {one.caller: one for one in sorted(steps)}
    for one in last.values():
        if due.get(one.client.id) != instant(AT + one.number * MINUTE):
            yield f"the due moment of {one} is not there"
        if snapshots.get(one.client.id) != EVENTS["client"] * (one.number + 1):
            yield f"the snapshot of {one} is not there"


def _unlisted(connection: sqlite3.Connection, path: Path, acknowledged: set[Step]) -> Iterator[str]:
    """An erasure that was not acknowledged is listed when the database is opened again."""
    listed = ErasureList(path.with_name(f"{path.name}.erasures")).read()
    told = {gone.person for one in acknowledged for gone in one.forgotten}
    for erasure in recorded(connection):
        if erasure.person in told and erasure not in listed:
            yield f"the erasure of {erasure.person} is not listed"
