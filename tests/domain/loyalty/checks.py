"""
The invariants of the ledger, each as one check of what the last step did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from clientela.domain.codec import Codec, canonical
from clientela.domain.errors import DomainError
from clientela.domain.event import Origin, RecordedEvent
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import Ref, wallet_journal
from clientela.domain.loyalty.adjustment import PointsGranted, PointsWithdrawn
from clientela.domain.loyalty.debt import DebtCreated, DebtRepaid
from clientela.domain.loyalty.earning import PointsIssued
from clientela.domain.loyalty.entries import Account, entries, lot_movements
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.ledger import LOYALTY
from clientela.domain.loyalty.lots import Lot, LotId
from clientela.domain.loyalty.restoration import PointsRestored
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.loyalty.spending import PointsCaptured
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.ruleset import Command
from tests.domain.loyalty.model import FOR_EVER, Model, end_of_month_days
from tests.domain.loyalty.shop import WALLET, WRITER, Shop


JOURNAL = wallet_journal(WALLET)
CODEC = Codec((*WRITER.events, *LOYALTY.events))


@attrs.frozen
class Step:
    """One event of the wallet with the wallet before and after it."""

    recorded: RecordedEvent
    before: Wallet
    after: Wallet

    @property
    def event(self) -> Any:
        return self.recorded.event


@attrs.frozen
class Asked:
    """A command that wanted points: whether the model allows it, and what was available."""

    may: bool
    available: int
    was_allowed: bool


@attrs.frozen
class Repeat:
    """A command under an identity used before."""

    same: bool
    made_events: bool
    was_refused: bool


@attrs.frozen
class Passage:
    """The same time let pass in one go, in two, and again."""

    at_once: tuple[Wallet, list[tuple[object, datetime]]]
    in_two: tuple[Wallet, list[tuple[object, datetime]]]
    once_more: int


class Glance:
    """What checks may look at: the steps made since the last check, the sums since the start."""

    def __init__(self, shop: Shop, model: Model) -> None:
        self.shop = shop
        self.model = model
        self.codec = CODEC
        self.replica = shop.rulebook.empty(JOURNAL)
        self.length = 0
        self.steps: list[Step] = []
        self.fresh = False
        self.written: list[bytes] = []
        self.asked: Asked | None = None
        self.repeated: Repeat | None = None
        self.passed: Passage | None = None
        self.sums: Counter[str] = Counter()
        self.accounts: Counter[Account] = Counter()
        self.per_lot: Counter[LotId] = Counter()
        self.expired_of: Counter[LotId] = Counter()
        self.captured_for: Counter[str] = Counter()
        self.restored_for: Counter[str] = Counter()

    @property
    def wallet(self) -> Wallet:
        """The wallet as committed."""
        return self.shop._folded((JOURNAL,)).of(Wallet)

    @property
    def history(self) -> tuple[RecordedEvent, ...]:
        return self.shop.history(JOURNAL)

    def run(self, command: Command, *, may: bool = True, available: int = 0) -> None:
        """Run a command, refused or not, and take in what it made."""
        allowed = True
        try:
            self.shop.when(command)
        except DomainError:
            allowed = False
        self.catch_up()
        self.asked = Asked(may, available, allowed)

    def repeat(self, command: Command, *, same: bool) -> None:
        length, refused = len(self.history), False
        self.settle_time()
        length = len(self.history)
        try:
            self.shop.when(command)
        except MismatchError:
            refused = True
        except DomainError:
            pass
        made = len(self.history) > length
        self.catch_up()
        self.repeated = Repeat(same, made, refused)

    def settle_time(self) -> None:
        """Commit what time alone did, so that only the command's own events follow."""
        self.shop.elapse(JOURNAL)
        self.catch_up()

    def before_time(self, now: datetime) -> None:
        """Let the time up to *now* pass on copies, in different ways."""
        half = self.shop.now + (now - self.shop.now) / 3
        record = self.shop._folded((JOURNAL,))
        rulebook, context = self.shop.rulebook, self.shop.context()
        late = attrs.evolve(context, now=now)
        at_once = rulebook.elapse(record, late)
        first = rulebook.elapse(record, attrs.evolve(context, now=half))
        second = rulebook.elapse(first.record, late)
        again = rulebook.elapse(second.record, late)
        self.passed = Passage(
            (at_once.record.of(Wallet), _what(at_once.events)),
            (second.record.of(Wallet), _what((*first.events, *second.events))),
            len(again.events),
        )

    def catch_up(self) -> None:
        """Fold the new events one by one and add them to the sums."""
        new = self.history[self.length :]
        self.length += len(new)
        for recorded in new:
            before = self.replica.states[Wallet]
            self.replica = self.shop.rulebook.fold(self.replica, (recorded,))
            after = self.replica.states[Wallet]
            assert isinstance(before, Wallet)
            assert isinstance(after, Wallet)
            self.steps.append(Step(recorded, before, after))
            self._add(recorded)

    def _add(self, recorded: RecordedEvent) -> None:
        event = recorded.event
        for entry in entries(event):
            self.accounts[entry.account] += entry.points
        for lot_id, points in lot_movements(event):
            self.per_lot[lot_id] += points
        name, payload = self.codec.encode(event)
        self.written.append(canonical({name: payload}))
        match event:
            case PointsExpired(allocations=allocations):
                for allocation in allocations:
                    self.expired_of[allocation.lot_id] += allocation.points
            case PointsCaptured(purchase=purchase, points=points) if purchase is not None:
                self.captured_for[purchase.id] += points
            case PointsRestored(purchase=purchase, points=points):
                self.restored_for[purchase.id] += points
            case _:
                pass
        for kind, count in _sums(event):
            self.sums[kind] += count

    def grant_ends(
        self, days: int | None, zone: str, says: dict[str, object]
    ) -> tuple[date | None, datetime | None]:
        """Last day asked for and first instant after it, for points granted now."""
        if days is None:
            return None, end_of_month_days(self.shop.now, says)
        where = ZoneInfo(zone)
        last = self.shop.now.astimezone(where).date() + timedelta(days=days)
        return last, datetime.combine(last + timedelta(days=1), time(), where).astimezone(UTC)

    def forget(self) -> None:
        """Let the steps go that were checked."""
        self.steps = []
        self.asked = self.repeated = self.passed = None

    def close(self, checked: tuple[str, ...]) -> None:
        """Checks of the whole history, at its end."""
        if "I3" in checked:
            rulebook = self.shop.rulebook
            folded = rulebook.fold(rulebook.empty(JOURNAL), self.history)
            stored = canonical(self.codec.plain(self.wallet))
            assert stored == canonical(self.codec.plain(folded.states[Wallet])), "I3 replay"
        if "I4" in checked:
            now = [canonical(dict([self.codec.encode(r.event)])) for r in self.history]
            assert self.written == now, "I4 append-only"


def _what(events: tuple[RecordedEvent, ...]) -> list[tuple[object, datetime]]:
    return [(recorded.event, recorded.occurred_at) for recorded in events]


def _sums(event: Any) -> tuple[tuple[str, int], ...]:
    match event:
        case PointsIssued(lines=lines):
            return (("issued", sum(item.points for item in lines)),)
        case PointsGranted(points=points):
            return (("granted", points),)
        case PointsWithdrawn(points=points):
            return (("withdrawn", points),)
        case PointsCaptured(points=points):
            return (("captured", points),)
        case PointsRestored(lines=lines):
            return (("restored", sum(item.points for item in lines)),)
        case PointsExpired(points=points):
            return (("expired", points),)
        case DebtCreated(points=points):
            return (("debt_created", points),)
        case DebtRepaid(points=points):
            return (("debt_repaid", points),)
        case PointsRevoked(lines=lines):
            taken = sum(a.points for item in lines for a in item.allocations)
            return (("revoked", taken),)
        case _:
            return ()


def conservation(glance: Glance) -> None:
    """I1: what came less what went is what is there, for points and for debt."""
    s, wallet = glance.sums, glance.wallet
    came = s["issued"] + s["granted"] + s["restored"]
    went = s["captured"] + s["withdrawn"] + s["expired"] + s["revoked"] + s["debt_repaid"]
    assert came - went == sum(lot.remaining for lot in wallet.lots.values()), "I1 points"
    lots = {lot_id: lot.remaining for lot_id, lot in wallet.lots.items()}
    assert {lot_id: points for lot_id, points in glance.per_lot.items() if points} == lots, "I1 lot"
    assert s["debt_created"] - s["debt_repaid"] == wallet.debt, "I1 debt"
    assert {name: s[name] for name in TOTALS} == _totals(wallet), "I1 totals"


TOTALS = (
    "issued",
    "granted",
    "withdrawn",
    "captured",
    "restored",
    "expired",
    "revoked",
    "debt_created",
    "debt_repaid",
)


def _totals(wallet: Wallet) -> dict[str, int]:
    return {name: getattr(wallet, name) for name in TOTALS}


def zero_sum(glance: Glance) -> None:
    """I2: every event's entries sum to 0, and two accounts are the wallet's points and debt."""
    for step in glance.steps:
        moved = entries(step.event)
        assert 0 == sum(entry.points for entry in moved), "I2 zero sum"
    wallet = glance.wallet
    remaining = sum(lot.remaining for lot in wallet.lots.values())
    assert remaining == glance.accounts[Account.WALLET], "I2 wallet account"
    assert -wallet.debt == glance.accounts[Account.DEBT], "I2 debt account"


def replay(glance: Glance) -> None:
    """I3: folding the events again, one by one, gives the stored state at every step."""
    assert glance.replica.states[Wallet] == glance.wallet, "I3 replay"


def append_only(glance: Glance) -> None:
    """I4: a correction is a new event that names the one it corrects."""
    for step in glance.steps:
        names = set(step.recorded.because)
        if step.recorded.type.origin in {Origin.DERIVED, Origin.ELAPSED}:
            assert names, "I4 no facts named"
        assert needed(step) <= names, "I4 corrected event not named"
        for ref in names:
            assert ref.journal != JOURNAL or ref.version < step.recorded.version, "I4 later fact"


def needed(step: Step) -> set[Ref]:
    """Facts that an event must name, because it corrects or uses them."""
    event, before = step.event, step.before
    match event:
        case PointsRevoked(purchase=purchase):
            return {before.earnings[purchase].issue}
        case PointsRestored(purchase=purchase):
            return set(before.redemptions[purchase].refs)
        case DebtRepaid():
            return set(before.debts)
        case PointsExpired(allocations=allocations) | PointsCaptured(allocations=allocations):
            return {before.lots[a.lot_id].issue for a in allocations}
        case _:
            return set()


def lot_bounds(glance: Glance) -> None:
    """I5: held within remaining within issued; nothing expires before its time or twice."""
    for step in glance.steps:
        for lot in (*step.after.lots.values(), *step.after.empty_lots.values()):
            assert 0 <= lot.held <= lot.remaining <= lot.issued, "I5 bounds"
            assert glance.expired_of[lot.lot_id] <= lot.issued, "I5 expired twice"
        assert _expiring(step.after) == step.after.expiring, "I5 expiring"
        if isinstance(step.event, PointsExpired):
            for allocation in step.event.allocations:
                ends = _lot(step.before, allocation.lot_id).expires_at
                assert ends is not None, "I5 never expires"
                assert ends <= step.recorded.occurred_at, "I5 expired early"
                assert ends <= step.recorded.recorded_at, "I5 expired early"


def _expiring(wallet: Wallet) -> dict[datetime, int]:
    points = Counter[datetime]()
    for lot in wallet.lots.values():
        if lot.expires_at is not None and lot.free:
            points[lot.expires_at] += lot.free
    return dict(points)


def no_overdraft(glance: Glance) -> None:
    """I6: whoever asks gets no more than is available; only returns make debt, and only so much."""
    if glance.asked is not None:
        assert glance.asked.may == glance.asked.was_allowed, "I6 overdraft"
    for step in glance.steps:
        if step.after.debt > step.before.debt:
            assert isinstance(step.event, DebtCreated), "I6 debt by choice"
    revoked = sum(
        sum(item.points for item in step.event.lines)
        for step in glance.steps
        if isinstance(step.event, PointsRevoked)
    )
    owed = sum(s.event.points for s in glance.steps if isinstance(s.event, DebtCreated))
    assert owed <= revoked, "I6 more owed than revoked"


def debt_first(glance: Glance) -> None:
    """I7: while points are owed none is available."""
    wallet = glance.wallet
    if glance.steps and wallet.debt:
        assert 0 == sum(lot.free for lot in wallet.lots.values()), "I7 debt first"


def exact_allocation(glance: Glance) -> None:
    """I8: allocations sum to the debit, and nothing is left that should have gone first."""
    for step in glance.steps:
        match step.event:
            case (
                PointsCaptured(points=points, allocations=allocations)
                | PointsWithdrawn(points=points, allocations=allocations)
                | DebtRepaid(points=points, allocations=allocations)
            ):
                assert points == sum(a.points for a in allocations), "I8 sum"
                last = max(_rank(_lot(step.before, a.lot_id)) for a in allocations)
                for lot in step.after.lots.values():
                    if lot.free:
                        assert _rank(lot) >= last, "I8 order"
            case _:
                pass


def _rank(lot: Lot) -> tuple[int, datetime, datetime, str]:
    return (lot.priority, lot.expires_at or FOR_EVER, lot.effective_at, lot.lot_id)


def expired_is_gone(glance: Glance) -> None:
    """I9: nothing is taken from a lot at or after its end."""
    for step in glance.steps:
        match step.event:
            case (
                PointsCaptured(allocations=allocations)
                | PointsWithdrawn(allocations=allocations)
                | DebtRepaid(allocations=allocations)
            ):
                for allocation in allocations:
                    ends = _lot(step.before, allocation.lot_id).expires_at
                    assert ends is None or step.recorded.recorded_at < ends, "I9 expired spent"
            case _:
                pass


def time_is_idempotent(glance: Glance) -> None:
    """I10: how often anybody looked makes no difference, and a second look finds nothing."""
    passed = glance.passed
    if passed is not None:
        assert passed.at_once == passed.in_two, "I10 time path"
        assert 0 == passed.once_more, "I10 second run"


def once_for_ever(glance: Glance) -> None:
    """I12: the same identity again does nothing; with another body it is an error."""
    if glance.repeated is not None:
        assert not glance.repeated.made_events, "I12 second effect"
        assert glance.repeated.was_refused != glance.repeated.same, "I12 mismatch"


def bounded_reversal(glance: Glance) -> None:
    """I13: no line loses more than it earned, no redemption gives back more than it took."""
    for earning in glance.wallet.earnings.values():
        for item in earning.lines:
            assert 0 <= item.revoked <= item.points, "I13 revoked"
            assert 0 <= item.excused <= item.revoked, "I13 excused"
    for purchase, points in glance.restored_for.items():
        assert points <= glance.captured_for[purchase], "I13 restored"


def no_life_extension(glance: Glance) -> None:
    """I16: a lot keeps its end; what comes back after it expires in the same command."""
    for step in glance.steps:
        for lot in (*step.before.lots.values(), *step.before.empty_lots.values()):
            assert lot.expires_at == _lot(step.after, lot.lot_id).expires_at, "I16 longer life"
    if glance.steps:
        for lot in glance.wallet.lots.values():
            late = lot.expires_at is not None and lot.expires_at <= glance.shop.now
            assert not (lot.free and late), "I16 came back alive"


def integers_only(glance: Glance) -> None:
    """I19: no float anywhere, and what is split sums to the whole, line by line as reckoned."""
    for step in glance.steps:
        _, payload = glance.codec.encode(step.event)
        assert not _floats(payload), "I19 float"
        if isinstance(step.event, PointsIssued):
            earned = {item.line_id: item.points for item in step.event.lines}
            assert glance.model.bought[step.event.purchase.id].earned == earned, "I19 split"


def _floats(plain: object) -> bool:
    if isinstance(plain, dict):
        return any(map(_floats, plain.values()))
    if isinstance(plain, list | tuple):
        return any(map(_floats, plain))
    return isinstance(plain, float)


def pinned_rules(glance: Glance) -> None:
    """I20: what a return takes, and who bears a shortfall, is as it was at the purchase."""
    wallet, totals = glance.wallet, glance.model.totals
    for purchase, earning in wallet.earnings.items():
        known = glance.model.bought[purchase.id]
        assert known.policy == earning.shortfall.value, "I20 policy"
        for item in earning.lines:
            assert known.revoked[item.line_id] == item.revoked, "I20 revoked"
    assert totals["forgiven"] == wallet.forgiven, "I20 forgiven"
    assert totals["deducted"] == wallet.deducted, "I20 deducted"
    assert totals["debt_created"] == wallet.debt_created, "I20 owed"


def as_the_model(glance: Glance) -> None:
    """Lots, debt and totals are those of the model, whether or not time was written down yet."""
    wallet, model = glance.shop.record(JOURNAL).of(Wallet), glance.model
    lots = {
        str(lot.lot_id).removeprefix("till:").removesuffix("/%adjustment"): (
            lot.issued,
            lot.remaining,
            lot.expired,
        )
        for lot in (*wallet.lots.values(), *wallet.empty_lots.values())
    }
    assert model.lots() == lots, "the model's lots"
    assert model.owed == wallet.debt, "the model's debt"
    assert {name: model.totals[name] for name in TOTALS} == _totals(wallet), "the model's totals"


def _lot(wallet: Wallet, lot_id: LotId) -> Lot:
    lot = wallet.lot(lot_id)
    assert lot is not None, f"no lot {lot_id}"
    return lot


CHECKS: dict[str, Callable[[Glance], None]] = {
    "I1": conservation,
    "I2": zero_sum,
    "I3": replay,
    "I4": append_only,
    "I5": lot_bounds,
    "I6": no_overdraft,
    "I7": debt_first,
    "I8": exact_allocation,
    "I9": expired_is_gone,
    "I10": time_is_idempotent,
    "I12": once_for_ever,
    "I13": bounded_reversal,
    "I16": no_life_extension,
    "I19": integers_only,
    "I20": pinned_rules,
    "model": as_the_model,
}
