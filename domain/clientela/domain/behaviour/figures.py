"""
Figures of a client's behaviour: what conditions are asked about.

Adding a fact does not depend on the order in which facts arrive, so a late one is simply added. A
figure keeps its totals for ever and the last `MARKS_MAX` facts it was made from: they are what an
explanation names.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.behaviour.mark import Mark, Moment
from clientela.domain.behaviour.tally import Tally, marks_since, tally_since, with_mark
from clientela.domain.ids import Code
from clientela.domain.variant import variant


TURNS_MAX = 8
"""Facts remembered of each signal, of conflicts and of departures."""

SIGNALS_MAX = 128
"""Different signals of one client; further ones are not kept."""

KINDS_MAX = 64
"""Different kinds of interaction of one client; further ones are counted together."""

OTHER_KIND = Code("*")
"""Under what interactions beyond `KINDS_MAX` kinds are counted."""


@attrs.frozen(kw_only=True)
class Behaviour:
    """
    All figures of one client, over the whole life or over the stay in one stage.

    A purchase stays counted when everything of it comes back, since the order was made; what comes
    back lowers *spent*. A return is no approach.

    Attributes:
        began_at: The first fact of the client, or the begin of the stay.

        purchases: Purchases.

        approaches: Approaches of the client to us, «обращение» (LIFE-20): purchases and
            interactions that the client began, whatever their purpose.

        interactions: By direction and kind, see `interaction_key`.

        spent: Purchases less refunds, by currency.

        signals: By name, the last few facts of each.

        conflicts: Begins and resolutions, the last few.

        departures: The last few.
    """

    began_at: datetime | None = None
    purchases: Tally = attrs.field(factory=Tally)
    approaches: Tally = attrs.field(factory=Tally)
    interactions: dict[Code, Tally] = attrs.field(factory=dict[Code, Tally])
    spent: dict[str, Tally] = attrs.field(factory=dict[str, Tally])
    signals: dict[Code, tuple[Mark, ...]] = attrs.field(factory=dict[Code, tuple[Mark, ...]])
    conflicts: tuple[Mark, ...] = ()
    departures: tuple[Mark, ...] = ()

    def add(self, fact: Fact) -> Behaviour:
        """These figures with one more fact."""
        began_at = fact.at if self.began_at is None else min(self.began_at, fact.at)
        changed = variant(self, began_at=began_at) if began_at != self.began_at else self
        adder = _ADDERS.get(fact.kind)
        return adder(changed, fact) if adder else changed


def interaction_key(kind: Code, *, inbound: bool) -> Code:
    """Under what `Behaviour.interactions` counts interactions of *kind*."""
    return Code(f"{'inbound' if inbound else 'outbound'}:{kind}")


def behaviour_since(whole: Behaviour, moment: Moment) -> Behaviour:
    """
    The figures of a stay that began at *moment*, as far as remembered facts tell.

    Exact while no more than `MARKS_MAX` facts of a kind lie after *moment*; beyond that counts stop
    there. Only needed when a fact older than all that is remembered moves the begin of a stay.

    Args:
        whole: The figures of the whole life.

        moment: From this fact on, itself included.
    """
    return Behaviour(
        began_at=moment[0],
        purchases=tally_since(whole.purchases, moment),
        approaches=tally_since(whole.approaches, moment),
        interactions={k: tally_since(t, moment) for k, t in whole.interactions.items()},
        spent={k: tally_since(t, moment) for k, t in whole.spent.items()},
        signals={k: marks_since(marks, moment) for k, marks in whole.signals.items()},
        conflicts=marks_since(whole.conflicts, moment),
        departures=marks_since(whole.departures, moment),
    )


def _purchase(old: Behaviour, fact: Fact) -> Behaviour:
    return variant(
        old,
        purchases=old.purchases.add(fact.mark),
        approaches=old.approaches.add(fact.mark),
        spent=_spent(old, fact),
    )


def _return(old: Behaviour, fact: Fact) -> Behaviour:
    return variant(old, spent=_spent(old, fact))


def _spent(old: Behaviour, fact: Fact) -> dict[str, Tally]:
    assert fact.amount is not None
    known = old.spent.get(fact.amount.currency, Tally())
    return {**old.spent, fact.amount.currency: known.add(fact.payment)}


def _interaction(old: Behaviour, fact: Fact) -> Behaviour:
    assert fact.code is not None
    key = interaction_key(fact.code, inbound=fact.inbound)
    if key not in old.interactions and len(old.interactions) >= KINDS_MAX:
        key = interaction_key(OTHER_KIND, inbound=fact.inbound)
    tally = old.interactions.get(key, Tally()).add(fact.mark)
    return variant(
        old,
        interactions={**old.interactions, key: tally},
        approaches=old.approaches.add(fact.mark) if fact.inbound else old.approaches,
    )


def _signal(old: Behaviour, fact: Fact) -> Behaviour:
    assert fact.code is not None
    if fact.code not in old.signals and len(old.signals) >= SIGNALS_MAX:
        return old
    mark = Mark(fact.at, fact.ref, fact.day, holds=fact.holds)
    turns = with_mark(old.signals.get(fact.code, ()), mark, TURNS_MAX)
    return variant(old, signals={**old.signals, fact.code: turns})


def _conflict(old: Behaviour, fact: Fact) -> Behaviour:
    holds = fact.holds if fact.kind is FactKind.RESOLUTION else None
    mark = Mark(fact.at, fact.ref, fact.day, holds=holds)
    return variant(old, conflicts=with_mark(old.conflicts, mark, TURNS_MAX))


def _departure(old: Behaviour, fact: Fact) -> Behaviour:
    mark = Mark(fact.at, fact.ref, fact.day, causes=fact.causes)
    return variant(old, departures=with_mark(old.departures, mark, TURNS_MAX))


_ADDERS: dict[FactKind, Callable[[Behaviour, Fact], Behaviour]] = {
    FactKind.PURCHASE: _purchase,
    FactKind.RETURN: _return,
    FactKind.INTERACTION: _interaction,
    FactKind.SIGNAL: _signal,
    FactKind.CONFLICT: _conflict,
    FactKind.RESOLUTION: _conflict,
    FactKind.LEFT: _departure,
}
