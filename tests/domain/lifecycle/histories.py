"""
One client's history, told to the lifecycle rule set fact by fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from clientela.domain.behaviour.fact import COUNTED
from clientela.domain.context import Definitions, DefinitionVersion
from clientela.domain.definitions.loading import load
from clientela.domain.draft import State, state
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.facts import (
    BusinessKey,
    ClientLeft,
    ConflictRecorded,
    ConflictResolved,
    Direction,
    EndKind,
    InteractionRecorded,
    PurchaseRecorded,
    Purpose,
    ReturnRecorded,
    SignalRecorded,
)
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    JournalKind,
    Ref,
    WalletId,
    client_journal,
)
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.lifecycle.stages import LIFECYCLE
from clientela.domain.lifecycle.visits import Visit, visits
from clientela.domain.money import Money
from clientela.domain.ruleset import RuleSet
from tests.domain.spec import AT, IVO, Scenario


PETRA = ClientId("petra")
JOURNAL = client_journal(PETRA)
CLM = Code("clm")
EFREMOVA = Code("efremova")
SHOP = Code("shop")

SHOP_TEXT = """
[lifecycle]
presets = ["clm", "efremova"]

# Who is silent for half a year is gone; who comes back begins as a guest again.
[[lifecycle.models]]
id = "shop"
entry = "guest"
by_hand = true
labels = { en = "Shop" }
stages = [
  { id = "guest", labels = { en = "Guest" }, exits = [
    { to = "gone", when = { left = {} } },
    { to = "regular", when = { in_stage = { purchases = { at_least = 2 } } } },
    { to = "cold", when = { in_stage_for = { days = 90 } } },
  ] },
  { id = "cold", labels = { en = "Cold" }, exits = [
    { to = "gone", when = { left = {} } },
    { to = "regular", when = { in_stage = { spent = { at_least = "20.00 EUR" } } } },
  ] },
  { id = "regular", labels = { en = "Regular" }, exits = [
    { to = "gone", when = { left = {} } },
    { to = "gone", when = { idle_for = { days = 180 } }, cause = "silence" },
    { to = "friend", when = { all = [{ conflict_handled_well = {} }, { signal = "recommends" }] } },
  ] },
  { id = "friend", labels = { en = "Friend" }, exits = [
    { to = "gone", when = { idle_for = { days = 180 } }, cause = "silence" },
    { to = "regular", when = { not = { signal = "recommends" } } },
  ] },
  { id = "gone", labels = { en = "Gone" }, end = true, exits = [
    { to = "guest", when = { in_stage = { purchases = { at_least = 1 } } } },
  ] },
]
"""


def definition(text: str) -> LifecycleDefinition:
    """The section `[lifecycle]` of a document."""
    section = load(text, {"lifecycle": LifecycleDefinition})[LifecycleDefinition]
    assert isinstance(section, LifecycleDefinition)
    return section


SHOP_DEFINITION = definition(SHOP_TEXT)


@event("test-registered", origin=Origin.RECORDED)
class Registered:
    client_id: ClientId


@state(JournalKind.CLIENT)
class Nothing(State):
    pass


@attrs.frozen
class Write:
    """A command that records any event, so that a history can be given."""

    fact: object
    occurred_at: datetime | None = None

    def journals(self):
        return (JOURNAL,)


WRITER = RuleSet(
    name="writer",
    state=Nothing,
    commands=(Write,),
    events=(Registered, *COUNTED),
    decide=lambda _record, command, _context: (PendingEvent(command.fact, rule="REC-3"),),
    evolve=lambda _draft, _recorded: None,
)


def day(number: float) -> datetime:
    """A moment so many days after the begin of all histories."""
    return AT + timedelta(days=number)


def registered(when: float = 0) -> Write:
    """The client came into the base."""
    return Write(Registered(client_id=PETRA), day(when))


def bought(when: float, euros: int = 10) -> Write:
    """The client bought something."""
    return Write(
        PurchaseRecorded(
            purchase=BusinessKey(Code("till"), BusinessId(str(when))),
            client_id=PETRA,
            wallet_id=WalletId(PETRA),
            lines=(),
            tenders=(),
            total=Money(euros * 100, "EUR"),
            local_date=day(when).date(),
        ),
        day(when),
    )


def returned(when: float, euros: int = 10) -> Write:
    """The client brought something back."""
    return Write(
        ReturnRecorded(
            return_key=BusinessKey(Code("till"), BusinessId(str(when))),
            client_id=PETRA,
            wallet_id=WalletId(PETRA),
            matched=(),
            unmatched=(),
            refund=Money(euros * 100, "EUR"),
            local_date=day(when).date(),
        ),
        day(when),
    )


def contact(
    when: float,
    direction: Direction = Direction.INBOUND,
    purpose: Purpose = Purpose.ENQUIRY,
    kind: str = "call",
) -> Write:
    """An interaction, begun by the client unless told otherwise."""
    return Write(
        InteractionRecorded(
            client_id=PETRA,
            channel=Code("phone"),
            direction=direction,
            purpose=purpose,
            kind=Code(kind),
        ),
        day(when),
    )


def signal(when: float, name: str, *, holds: bool = True) -> Write:
    """A signal was recorded."""
    return Write(SignalRecorded(client_id=PETRA, signal=Code(name), holds=holds), day(when))


def conflict(when: float) -> Write:
    """Client and employee fell out."""
    fact = ConflictRecorded(client_id=PETRA, employee_id=IVO, cause=Code("error"))
    return Write(fact, day(when))


def resolved(when: float, *, well: bool = True) -> Write:
    """The conflict ended."""
    return Write(ConflictResolved(client_id=PETRA, handled_well=well), day(when))


def left(when: float, *causes: str) -> Write:
    """The client left."""
    named = tuple(Code(cause) for cause in causes or ("moved-away",))
    return Write(ClientLeft(client_id=PETRA, causes=named, ended=EndKind.BY_CLIENT), day(when))


def company(settings: LifecycleDefinition | Definitions | None = None) -> Scenario:
    """A company that records facts and follows the lifecycle."""
    scenario = Scenario(WRITER, LIFECYCLE)
    if isinstance(settings, Definitions):
        scenario.definitions = settings
    elif settings is not None:
        scenario.definitions = versions((0, settings))
    return scenario


def in_time(
    facts: Iterable[Write], settings: LifecycleDefinition | Definitions, until: datetime
) -> Scenario:
    """Every fact recorded at the very moment it happened, then time up to *until*."""
    scenario = company(settings)
    for fact in facts:
        assert fact.occurred_at is not None
        scenario.advance(fact.occurred_at)
        scenario.when(fact)
    scenario.advance(until)
    return scenario


def at_last(
    facts: Iterable[Write], settings: LifecycleDefinition | Definitions, until: datetime
) -> Scenario:
    """Every fact recorded at *until*, in the order given."""
    scenario = company(settings).at(until)
    for fact in facts:
        scenario.when(fact)
    scenario.elapse(JOURNAL)
    return scenario


def moments(scenario: Scenario, refs: Iterable[Ref]) -> tuple[datetime, ...]:
    """When the facts of *refs* happened: what names them in whatever order they were recorded."""
    by_version = {recorded.version: recorded.occurred_at for recorded in scenario.events}
    return tuple(sorted(by_version[ref.version] for ref in refs))


def told(scenario: Scenario, model: Code) -> list[tuple[object, ...]]:
    """The visits of a model without anything that depends on when we heard of them."""
    return [
        (
            visit.stage,
            visit.previous,
            visit.began_at,
            visit.ended_at,
            visit.means,
            moments(scenario, visit.because),
            visit.causes,
            visit.cycle,
            visit.rule,
            visit.definition,
        )
        for visit in visits(scenario.events, model)
    ]


def steps(scenario: Scenario, model: Code) -> list[tuple[str, float]]:
    """Stage and day of each visit."""
    return [(visit.stage, days(visit)) for visit in visits(scenario.events, model)]


def days(visit: Visit) -> float:
    """How many days after the begin of all histories a visit began."""
    return (visit.began_at - AT) / timedelta(days=1)


def versions(*sections: tuple[float, LifecycleDefinition]) -> Definitions:
    """Definitions with a version from each of these days on."""
    return Definitions(
        tuple(
            DefinitionVersion(number, day(start), {LifecycleDefinition: section})
            for number, (start, section) in enumerate(sections, start=1)
        )
    )


def present(scenario: Scenario, models: Sequence[Code]) -> list[list[tuple[object, ...]]]:
    """The visits of several models."""
    return [told(scenario, model) for model in models]
