"""
A toy: bells ring, echo and fall silent, a clock strikes, the ringer is paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from clientela.domain.context import Context
from clientela.domain.draft import State, state
from clientela.domain.errors import RefusedError
from clientela.domain.event import (
    Actor,
    ActorKind,
    Key,
    Origin,
    PendingEvent,
    event,
)
from clientela.domain.ids import (
    Blind,
    ClientId,
    Code,
    JournalId,
    JournalKind,
    PrincipalId,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.personal import TokenVault
from clientela.domain.record import (
    Record,
)
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet
from clientela.domain.run import APPEND_EVENTS_MAX
from tests.domain.spec import AT, Roster, TrimmedForms, definitions


TOWER = client_journal(ClientId("tower"))
CHAPEL = client_journal(ClientId("chapel"))
PURSE = wallet_journal(WalletId("tower"))
HOUR = timedelta(hours=1)
RINGER = Actor(ActorKind.EMPLOYEE, PrincipalId("ringer"))
DEPUTY = Actor(ActorKind.EMPLOYEE, PrincipalId("deputy"))


@event("test-rung", origin=Origin.DECIDED)
class Rung:
    """Somebody rang."""

    name: Code


@event("test-answered", origin=Origin.DERIVED)
class Answered:
    """Another bell answered."""

    name: Code


@event("test-echoed", origin=Origin.DERIVED)
class Echoed:
    """The valley gave back a sound."""

    name: Code


@event("test-struck", origin=Origin.ELAPSED)
class Struck:
    """The clock struck."""

    clock: Code


@event("test-wound", origin=Origin.RECORDED)
class Wound:
    """The clock was wound for some hours."""

    hours: int


@event("test-paid", origin=Origin.DERIVED)
class Paid:
    """The ringer was paid."""

    name: Code


@state(JournalKind.CLIENT)
class Bells(State):
    """What rang so far."""

    rung: tuple[Code, ...] = ()


@state(JournalKind.CLIENT)
class Echoes(State):
    """What came back so far."""

    heard: tuple[Code, ...] = ()


@state(JournalKind.CLIENT)
class Clock(State):
    """A clock that strikes every hour while it goes."""

    next_at: datetime | None = None
    left: int = 0


@state(JournalKind.CLIENT)
class Cuckoo(State):
    """A second clock."""

    next_at: datetime | None = None
    left: int = 0


@state(JournalKind.WALLET)
class Purse(State):
    """What ringing has brought in."""

    coins: int = 0


@attrs.frozen(kw_only=True)
class Ring:
    """Ring bells, one after the other."""

    names: tuple[Code, ...]
    journal: JournalId = TOWER
    purse: JournalId | None = None
    reserve: tuple[Key, ...] = ()
    release: tuple[Key, ...] = ()
    occurred_at: datetime | None = None

    def journals(self):
        return (self.journal,) if self.purse is None else (self.purse, self.journal)


@attrs.frozen(kw_only=True)
class Wind:
    """Wind the clock up."""

    hours: int
    occurred_at: datetime | None = None

    def journals(self):
        return (TOWER,)


@attrs.frozen(kw_only=True)
class Silence:
    """Nobody may ring; whether the attempt is written down is up to the caller."""

    leaves: tuple[PendingEvent, ...] = ()
    occurred_at: datetime | None = None

    def journals(self):
        return (TOWER,)


def ring(record: Record, command: Ring | Silence, _context: Context) -> Iterable[PendingEvent]:
    """Ring, unless silence is asked for."""
    if isinstance(command, Silence):
        raise RefusedError("it is night", rule="NIGHT-1", leaves=command.leaves)
    for name in command.names:
        yield PendingEvent(
            Rung(name=name), rule="RING-1", reserve=command.reserve, release=command.release
        )


def heard(draft: Bells, recorded) -> None:
    """Note what rang."""
    if isinstance(recorded.event, Rung | Answered):
        draft.rung = (*draft.rung, recorded.event.name)


def answers(record: Record, recorded, _context: Context) -> Iterable[PendingEvent]:
    """Two answers to the great bell."""
    if isinstance(recorded.event, Rung) and recorded.event.name == "great":
        for name in ("small", "smallest"):
            yield PendingEvent(Answered(name=Code(name)), rule="RING-2", because=(recorded.ref,))


def echo(record: Record, recorded, _context: Context) -> Iterable[PendingEvent]:
    """Every sound comes back once; the echo tells how many bells have rung by then."""
    if isinstance(recorded.event, Rung | Answered):
        count = len(record.of(Bells).rung)
        yield PendingEvent(Echoed(name=Code(f"{recorded.event.name}-{count}")), rule="ECHO-1")


def gave_back(draft: Echoes, recorded) -> None:
    """Note what came back."""
    if isinstance(recorded.event, Echoed):
        draft.heard = (*draft.heard, recorded.event.name)


def pay(record: Record, recorded, _context: Context) -> Iterable[PendingEvent]:
    """Ringing is paid into the purse."""
    if isinstance(recorded.event, Rung):
        yield PendingEvent(Paid(name=recorded.event.name), rule="PAY-1")


def paid(draft: Purse, recorded) -> None:
    """Count the coins."""
    draft.coins += isinstance(recorded.event, Paid)


def strikes(kind: type, name: str, every: timedelta):
    """`due`, `elapse` and `evolve` of a clock."""

    def due(record, _definitions):
        return record.of(kind).next_at

    def elapse(record, context):
        assert record.of(kind).next_at == context.now
        yield PendingEvent(Struck(clock=Code(name)), rule="CLOCK-1")

    def evolve(draft, recorded):
        if isinstance(recorded.event, Wound):
            draft.left = recorded.event.hours
            draft.next_at = recorded.occurred_at + every if draft.left else None
        if isinstance(recorded.event, Struck) and recorded.event.clock == name:
            draft.left -= 1
            draft.next_at = recorded.occurred_at + every if draft.left else None

    return {"due": due, "elapse": elapse, "evolve": evolve}


def wind(_record, command: Wind, _context):
    """Wind the clock."""
    return (PendingEvent(Wound(hours=command.hours), rule="CLOCK-2"),)


def nothing(_draft, _recorded) -> None:
    """Fold nothing."""


BELLS = RuleSet(
    name="bells",
    state=Bells,
    commands=(Ring, Silence),
    events=(Rung, Answered),
    decide=ring,
    evolve=heard,
    react=answers,
    keys=lambda command, _naming: command.reserve,
)
ECHOES = RuleSet(
    name="echoes",
    state=Echoes,
    events=(Echoed,),
    hears=(Rung, Answered),
    evolve=gave_back,
    react=echo,
)
CLOCK = RuleSet(
    name="clock",
    state=Clock,
    commands=(Wind,),
    events=(Wound, Struck),
    decide=wind,
    **strikes(Clock, "clock", HOUR),
)
CUCKOO = RuleSet(
    name="cuckoo", state=Cuckoo, hears=(Wound, Struck), **strikes(Cuckoo, "cuckoo", HOUR / 2)
)
PURSES = RuleSet(name="purses", state=Purse, events=(Paid,), hears=(Rung,), evolve=paid, react=pay)
BOOK = Rulebook((BELLS, ECHOES, CLOCK, CUCKOO, PURSES))


def context(now: datetime = AT, **changes: object) -> Context:
    """A context whose ids count up."""
    numbers = iter(range(1, APPEND_EVENTS_MAX + 10))
    given = {
        "now": now,
        "actor": RINGER,
        "definitions": definitions(),
        "staff": Roster(),
        "vault": TokenVault(b"rulebook"),
        "forms": TrimmedForms(),
        "new_id": lambda: f"i{next(numbers)}",
    }
    return Context(**{**given, **changes})  # type: ignore[arg-type]


def empty(*journal_ids: JournalId, book: Rulebook = BOOK, holders=None) -> Record:
    """A record of journals that do not exist yet."""
    return Record((book.empty(j) for j in journal_ids), holders)


def names(decision) -> list[str]:
    """What was recorded, one word each."""
    return [
        str(getattr(recorded.event, "name", None) or getattr(recorded.event, "clock", "wound"))
        for recorded in decision.events
    ]


GREAT = Ring(names=(Code("great"),))
SMALL = Ring(names=(Code("little"),))


def key(value: str) -> Key:
    """A key."""
    return Key(Code("bell"), Blind(value))
