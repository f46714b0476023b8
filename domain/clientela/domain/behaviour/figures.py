"""
Figures of a client's behaviour: what conditions are asked about.

Adding a fact does not depend on the order in which facts arrive, so a late one is simply added.
Figures are totals; the facts behind them, which an explanation names, are kept once for all
figures, see `kept`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.behaviour.mark import Mark, Moment, marks_since, with_mark
from clientela.domain.behaviour.tally import Tally
from clientela.domain.draft import FrozenDict
from clientela.domain.ids import Code


TURNS_MAX = 8
"""Facts remembered of each signal, of conflicts and of departures."""

SIGNALS_MAX = 128
"""Different signals of one client; further ones are not kept."""

KINDS_MAX = 64
"""Different kinds of interaction of one client; further ones are counted together."""

OTHER_KIND = Code("*")
"""Under what interactions beyond `KINDS_MAX` kinds are counted."""

_NONE = FrozenDict()
_NEVER = Tally()


@attrs.frozen
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

        interactions: How many by direction and kind, see `interaction_key`.

        spent: Purchases less refunds in minor units, by currency.

        signals: By name, the last few facts of each.

        conflicts: Begins and resolutions, the last few.

        departures: The last few.
    """

    began_at: datetime | None = None
    purchases: Tally = _NEVER
    approaches: Tally = _NEVER
    interactions: dict[Code, int] = _NONE
    spent: dict[str, int] = _NONE
    signals: dict[Code, tuple[Mark, ...]] = _NONE
    conflicts: tuple[Mark, ...] = ()
    departures: tuple[Mark, ...] = ()

    def add(self, fact: Fact, known: Iterable[Fact] = (), since: Moment | None = None) -> Behaviour:
        """
        These figures with one more fact.

        Args:
            fact: It.

            known: Facts that are remembered one by one; looked at only where days are not told in
                order.

            since: From when on these figures count; None for the whole life.
        """
        draft = Figures(self)
        draft.add(fact, known, since)
        return draft.sealed()


class Figures:
    """
    Figures while facts are added to them, in place: many facts make one `Behaviour`.

    Args:
        behaviour: Where they start.
    """

    __slots__ = (
        "approaches",
        "began_at",
        "conflicts",
        "departures",
        "interactions",
        "purchases",
        "signals",
        "spent",
    )

    def __init__(self, behaviour: Behaviour) -> None:
        self.began_at = behaviour.began_at
        self.purchases = behaviour.purchases.draft()
        self.approaches = behaviour.approaches.draft()
        self.interactions = behaviour.interactions
        self.spent = behaviour.spent
        self.signals = behaviour.signals
        self.conflicts = behaviour.conflicts
        self.departures = behaviour.departures

    def add(self, fact: Fact, known: Iterable[Fact] = (), since: Moment | None = None) -> None:
        """Count one more fact; as `Behaviour.add`."""
        if self.began_at is None or fact.at < self.began_at:
            self.began_at = fact.at
        adder = _ADDERS.get(fact.kind)
        if adder is not None:
            adder(self, fact, known, since)

    def sealed(self) -> Behaviour:
        """The figures that they have come to."""
        return Behaviour(
            self.began_at,
            self.purchases.sealed(),
            self.approaches.sealed(),
            self.interactions,
            self.spent,
            self.signals,
            self.conflicts,
            self.departures,
        )


def interaction_key(kind: Code, *, inbound: bool) -> Code:
    """Under what `Behaviour.interactions` counts interactions of *kind*."""
    return Code(f"{'inbound' if inbound else 'outbound'}:{kind}")


def is_purchase(fact: Fact) -> bool:
    """Whether *fact* is counted among purchases."""
    return fact.kind is FactKind.PURCHASE


def is_approach(fact: Fact) -> bool:
    """Whether *fact* is counted among approaches of the client to us."""
    if fact.kind is FactKind.INTERACTION:
        return fact.inbound
    return fact.kind is FactKind.PURCHASE


def behaviour_since(whole: Behaviour, known: Iterable[Fact], moment: Moment) -> Behaviour:
    """
    The figures of a stay that began at *moment*, as far as remembered facts tell.

    Exact while no more than `MARKS_MAX` facts of a kind lie after *moment*; beyond that counts stop
    there. Only needed when a fact older than all that is remembered moves the begin of a stay, or a
    model that came into force judges what happened before.

    Args:
        whole: The figures of the whole life.

        known: Facts that are remembered one by one, in order.

        moment: From this fact on, itself included.
    """
    counted = [f for f in known if f.moment >= moment and f.kind in _COUNTED_ONLY]
    figures = Figures(Behaviour(began_at=moment[0]))
    figures.signals = {k: marks_since(marks, moment) for k, marks in whole.signals.items()}
    figures.conflicts = marks_since(whole.conflicts, moment)
    figures.departures = marks_since(whole.departures, moment)
    for number, fact in enumerate(counted):
        figures.add(fact, counted[:number])
    return figures.sealed()


_COUNTED_ONLY = {FactKind.PURCHASE, FactKind.RETURN, FactKind.INTERACTION}


def _those(
    counts: Callable[[Fact], bool], known: Iterable[Fact], since: Moment | None
) -> Iterator[Fact]:
    return (f for f in known if counts(f) and (since is None or f.moment >= since))


def _purchase(draft: Figures, fact: Fact, known: Iterable[Fact], since: Moment | None) -> None:
    assert fact.amount is not None
    draft.purchases.add(fact, _those(is_purchase, known, since))
    draft.approaches.add(fact, _those(is_approach, known, since))
    _spend(draft, fact.amount.currency, fact.amount.minor)


def _return(draft: Figures, fact: Fact, _known: Iterable[Fact], _: Moment | None) -> None:
    assert fact.amount is not None
    _spend(draft, fact.amount.currency, -fact.amount.minor)


def _spend(draft: Figures, currency: str, minor: int) -> None:
    draft.spent = {**draft.spent, currency: draft.spent.get(currency, 0) + minor}


def _interaction(draft: Figures, fact: Fact, known: Iterable[Fact], since: Moment | None) -> None:
    assert fact.code is not None
    counts = draft.interactions
    key = interaction_key(fact.code, inbound=fact.inbound)
    if key not in counts and len(counts) >= KINDS_MAX:
        key = interaction_key(OTHER_KIND, inbound=fact.inbound)
    draft.interactions = {**counts, key: counts.get(key, 0) + 1}
    if fact.inbound:
        draft.approaches.add(fact, _those(is_approach, known, since))


def _signal(draft: Figures, fact: Fact, _known: Iterable[Fact], _: Moment | None) -> None:
    assert fact.code is not None
    if fact.code not in draft.signals and len(draft.signals) >= SIGNALS_MAX:
        return
    mark = Mark(fact.at, fact.ref, holds=fact.holds)
    turns = with_mark(draft.signals.get(fact.code, ()), mark, TURNS_MAX)
    draft.signals = {**draft.signals, fact.code: turns}


def _conflict(draft: Figures, fact: Fact, _known: Iterable[Fact], _: Moment | None) -> None:
    mark = Mark(fact.at, fact.ref, fact.holds if fact.kind is FactKind.RESOLUTION else None)
    draft.conflicts = with_mark(draft.conflicts, mark, TURNS_MAX)


def _departure(draft: Figures, fact: Fact, _known: Iterable[Fact], _: Moment | None) -> None:
    mark = Mark(fact.at, fact.ref, causes=fact.causes)
    draft.departures = with_mark(draft.departures, mark, TURNS_MAX)


_ADDERS: dict[FactKind, Callable[[Figures, Fact, Iterable[Fact], Moment | None], None]] = {
    FactKind.PURCHASE: _purchase,
    FactKind.RETURN: _return,
    FactKind.INTERACTION: _interaction,
    FactKind.SIGNAL: _signal,
    FactKind.CONFLICT: _conflict,
    FactKind.RESOLUTION: _conflict,
    FactKind.LEFT: _departure,
}
