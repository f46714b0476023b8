"""
Every check of an invariant catches its own kind of mistake.

Each mutant plants one mistake in the ledger and is run through random lives with one check only,
that of the invariant it breaks; the run must fail on it.
"""

from __future__ import annotations

import itertools

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from clientela.domain.context import Context
from clientela.domain.draft import thaw
from clientela.domain.event import PendingEvent
from clientela.domain.loyalty import (
    debt,
    earning,
    entries,
    expiry,
    lots,
    restoration,
    returns,
    revocation,
    spending,
    wallet,
)
from clientela.domain.loyalty.programme import Programme
from clientela.domain.loyalty.wallet import change_earning
from tests.domain.loyalty.checks import CHECKS
from tests.domain.loyalty.machine import LedgerMachine


LIVES = 400
STEPS = 20


@attrs.frozen
class Mutant:
    """
    A mistake to plant.

    Attributes:
        breaks: The invariant, by its number.

        module: Where the function is looked up.

        name: The function.

        wrong: Makes the wrong variant from the right one.

        after: A mistake that has to be there as well, so that this one shows.
    """

    breaks: str
    module: Any
    name: str
    wrong: Callable[[Any], Any]
    after: Mutant | None = None

    def __str__(self) -> str:
        return f"{self.breaks}-{self.wrong.__name__}"

    def plant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the wrong variant in the place of the right one."""
        if self.after is not None:
            self.after.plant(monkeypatch)
        right = getattr(self.module, self.name)
        monkeypatch.setattr(self.module, self.name, self.wrong(right))


def forgets_to_count(right):
    """Expired points leave the lots but not the books."""

    def wrong(draft, happened, ref):
        right(draft, happened, ref)
        draft.expired -= happened.points

    return wrong


def one_sided(_right):
    """Points leave an account and come to none."""
    return lambda points, source, _target: (entries.Entry(source, -points),) if points else ()


def moody(right):
    """What a fold does depends on how often it was called."""
    calls = itertools.count()

    def wrong(draft, issued, recorded):
        right(draft, issued, recorded)
        draft.issued += next(calls) % 2

    return wrong


def nameless(right):
    """A revocation does not say which issue it corrects."""

    def wrong(*args, **how):
        for pending in right(*args, **how):
            yield attrs.evolve(pending, because=pending.because[:1])

    return wrong


def eager(_right):
    """Points expire along with others that end before them."""
    return lambda them, _at: tuple(lot for lot in them if lot.free and lot.expires_at)


def twice(right):
    """What is put back is put back twice."""

    def wrong(draft, allocations):
        right(draft, allocations)
        right(draft, allocations)

    return wrong


def generous(_right):
    """Who asks for more than there is gets what there is."""
    return lambda its, points, now: lots.allocate(its.lots.values(), points, now)


def forgiving(right):
    """Points that come in repay nothing."""

    def wrong(its, cause, context):
        owing_nothing = thaw(its)
        owing_nothing.debt = 0
        return right(owing_nothing, cause, context)

    return wrong


def by_name(_right):
    """Lots are spent in the order of their ids."""
    return lambda lot: lot.lot_id


def shortchanged(right):
    """The largest allocation of a debit is one point short."""

    def wrong(*args):
        first, *rest = right(*args)
        return (attrs.evolve(first, points=first.points - 1), *rest)

    return wrong


def never_due(_right):
    """Nobody looks whether anything has expired."""
    return lambda _wallet: None


def always_live(_right):
    """Points can be spent after their end."""
    return lambda _lot, _at: True


def by_turns(right):
    """Every other time one lot expires alone, and the rest after it."""

    def wrong(its, context):
        (pending,) = right(its, context)
        if int(context.new_id().removeprefix("e")) % 2:
            first = pending.event.allocations[:1]
            some = expiry.PointsExpired(points=first[0].points, allocations=first)
            return (attrs.evolve(pending, event=some),)
        return (pending,)

    return wrong


def forgetful(right):
    """A payment's identity counts only together with its points."""

    def wrong(command, naming):
        return (naming.key("spend", f"{command.spend}/{command.points}"),)

    return wrong


def greedy(_right):
    """Every piece is rounded up."""
    return lambda line, quantity: -(-line.points * quantity // line.quantity)


def bottomless(_right):
    """What the till said was paid is given back, whether or not it was spent."""
    return lambda _captured: lots.POINTS_MAX


def rejuvenating(right):
    """Restored lots live for ever."""

    def wrong(draft, allocations):
        right(draft, allocations)
        for allocation in allocations:
            lot = draft.lot(allocation.lot_id)
            wallet.put(draft, attrs.evolve(lot, expires_at=None))

    return wrong


def undead(right):
    """What comes back after its end is left for the next look."""
    return lambda _wallet, _since, _now: ()


def rounded(_right):
    """Each part is rounded for itself."""

    def wrong(total, weights):
        whole = sum(weights.values()) or 1
        return {name: round(total * weight / whole) for name, weight in weights.items()}

    return wrong


def half_points(right):
    """Points are reckoned in floats."""

    def wrong(programme, purchase):
        return {name: points / 1 for name, points in right(programme, purchase).items()}

    return wrong


def up_to_date(right):
    """A return is reckoned by the programme of its own day."""

    def wrong(its, returned, return_key, cause, context: Context) -> Any:
        draft = thaw(its)
        today = context.definitions.at(context.now).of(Programme).shortfall
        for purchase, known in draft.earnings.items():
            change_earning(draft, purchase, attrs.evolve(known, shortfall=today))
        return right(draft, returned, return_key, cause, context)

    return wrong


def overcharging(right):
    """A debt is made for what was taken from lots as well."""

    def wrong(*args, **how):
        for pending in right(*args, **how):
            yield pending
            event = pending.event
            if isinstance(event, revocation.PointsRevoked) and event.charged:
                owed = debt.DebtCreated(
                    points=event.charged + event.shortfall + 1,
                    purchase=event.purchase,
                    return_key=event.return_key,
                )
                yield PendingEvent(owed, rule="LOY-10", because=pending.because)

    return wrong


UNWATCHED = Mutant("model", expiry, "due", never_due)

MUTANTS = (
    Mutant("I1", expiry, "fold_expired", forgets_to_count),
    Mutant("I2", entries, "_move", one_sided),
    Mutant("I3", earning, "fold_issued", moody),
    Mutant("I4", returns, "revoke", nameless),
    Mutant("I5", expiry, "expired", eager),
    Mutant("I5", restoration, "put_back", twice),
    Mutant("I6", spending, "take_exactly", generous),
    Mutant("I6", returns, "revoke", overcharging),
    Mutant("I7", debt, "settle", forgiving),
    Mutant("I8", lots, "spend_order", by_name),
    Mutant("I8", spending, "take_exactly", shortchanged),
    Mutant("I9", lots.Lot, "is_live", always_live, after=UNWATCHED),
    Mutant("I10", expiry, "elapse", by_turns),
    Mutant("I12", spending, "keys", forgetful),
    Mutant("I13", revocation, "assessed", greedy),
    Mutant("I13", restoration, "total", bottomless),
    Mutant("I16", restoration, "put_back", rejuvenating),
    Mutant("I16", expiry, "expire_late", undead),
    Mutant("I19", earning, "largest_remainder", rounded),
    Mutant("I19", earning, "points_by_line", half_points),
    Mutant("I20", returns, "take_back", up_to_date),
    UNWATCHED,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_mutant_is_caught_by_the_check_of_its_invariant(mutant, monkeypatch):
    """
    LOY-10: a ledger with this mistake does not live through random lives unnoticed.
    """
    mutant.plant(monkeypatch)
    machine = type("Mutated", (LedgerMachine,), {"checked": (mutant.breaks,)})

    with pytest.raises(AssertionError, match=mutant.breaks):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=LIVES,
                stateful_step_count=STEPS,
                database=None,
                deadline=None,
                derandomize=True,
                phases=[Phase.generate],
                print_blob=False,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_every_invariant_has_a_mutant():
    """
    LOY-10: no check is left that nothing has turned red.
    """
    assert set(CHECKS) == {mutant.breaks for mutant in MUTANTS}
