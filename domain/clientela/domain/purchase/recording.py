"""
Recording purchases and returns: what happened is never refused for its consequences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import assert_never

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import Key, PendingEvent, RecordedEvent
from clientela.domain.facts import (
    LINES_MAX,
    BusinessKey,
    Line,
    PurchaseRecorded,
    ReturnedLine,
    ReturnForwarded,
    ReturnMatched,
    ReturnRecorded,
    Tender,
    TenderKind,
    UnmatchedLine,
)
from clientela.domain.ids import (
    ClientId,
    EmployeeId,
    JournalId,
    JournalKind,
    Ref,
    UnitId,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.money import Money
from clientela.domain.purchase.lines import check_lines, check_tenders, check_wanted
from clientela.domain.purchase.matching import Shelf, Wanted, unnamed_article
from clientela.domain.purchase.policy import PurchasePolicy
from clientela.domain.purchase.purchases import Purchases, WaitingReturn, evolve
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


@attrs.frozen(kw_only=True)
class RecordPurchase:
    """
    A client bought something.

    Attributes:
        client_id: Who is credited.

        purchase: Its identity; the same one again with the same content changes nothing.

        lines: What was bought, 1 to `LINES_MAX`, one currency.

        tenders: How it was paid; empty means all in money. They sum to the lines.

        local_date: The branch's calendar day; None means that of *occurred_at* in UTC.

        wallet_id: The wallet presented; None means the client's own.

        unit_id: Where.

        seller_id: By whom.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    purchase: BusinessKey
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...] = ()
    local_date: date | None = None
    wallet_id: WalletId | None = None
    unit_id: UnitId | None = None
    seller_id: EmployeeId | None = None
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's and the wallet's."""
        return _journals(self.client_id, self.wallet_id)


@attrs.frozen(kw_only=True)
class RecordReturn:
    """
    A client brought something back.

    Attributes:
        client_id: Who is credited.

        return_key: Its identity; the same one again with the same content changes nothing.

        currency: Of all refunds.

        lines: What came back, 1 to `LINES_MAX`.

        local_date: The branch's calendar day; None means that of *occurred_at* in UTC.

        wallet_id: The wallet presented; None means the client's own. Another one that a purchase
            was credited to hears of it by a follow-up (`Rulebook.follow_ups`).

        unit_id: Where.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    return_key: BusinessKey
    currency: str
    lines: tuple[Wanted, ...]
    local_date: date | None = None
    wallet_id: WalletId | None = None
    unit_id: UnitId | None = None
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's and the wallet's."""
        return _journals(self.client_id, self.wallet_id)


Command = RecordPurchase | RecordReturn


def _journals(client_id: ClientId, wallet_id: WalletId | None) -> tuple[JournalId, ...]:
    return (client_journal(client_id), wallet_journal(wallet_id or WalletId(client_id)))


def keys(command: Command, naming: Naming) -> tuple[Key, ...]:
    """The business identity of the purchase or return."""
    return (_key(command, naming),)


def _key(command: Command, naming: Naming) -> Key:
    match command:
        case RecordPurchase(purchase=identity):
            return naming.business_key("purchase", identity.source, identity.id)
        case RecordReturn(return_key=identity):
            return naming.business_key("return", identity.source, identity.id)
        case _:
            assert_never(command)


def decide(record: Record, command: Command, context: Context) -> Iterable[PendingEvent]:
    """
    Write down a purchase or a return, once.

    Raises:
        UnknownError: no such client.

        InvalidValueError: lines, tenders or currencies are malformed.

        MismatchError: the identity was used for another purchase or return of this client.

        KeyTakenError: another client used it.
    """
    if not record.exists(JournalKind.CLIENT):
        raise UnknownError("client", command.client_id)
    key = _key(command, context)
    if record.is_done(key, JournalKind.CLIENT, context.fingerprint):
        return ()
    occurred_at = command.occurred_at or context.now
    match command:
        case RecordPurchase():
            purchase = _purchase(command, occurred_at, context)
            return (PendingEvent(purchase, rule="REC-3", reserve=(key,)),)
        case RecordReturn():
            purchases = record.of(Purchases)
            returned = _return(purchases, command, occurred_at)
            recorded = PendingEvent(returned, rule="REC-3", reserve=(key,))
            return (recorded, *_forwarded(purchases, returned))
        case _:
            assert_never(command)


def _purchase(command: RecordPurchase, occurred_at: datetime, context: Context) -> PurchaseRecorded:
    check_lines(command.lines)
    total = Money(sum(line.net.minor for line in command.lines), command.lines[0].net.currency)
    tenders = command.tenders or (Tender(kind=TenderKind.MONEY, amount=total),)
    check_tenders(tenders, total)
    policy = context.definitions.at(occurred_at).of(PurchasePolicy)
    day = command.local_date or occurred_at.date()
    until = None if policy.returnable_days is None else _after(day, policy.returnable_days)
    return PurchaseRecorded(
        purchase=command.purchase,
        client_id=command.client_id,
        wallet_id=command.wallet_id or WalletId(command.client_id),
        lines=command.lines,
        tenders=tenders,
        total=total,
        local_date=day,
        unit_id=command.unit_id,
        seller_id=command.seller_id,
        returnable_until=until,
    )


def _after(day: date, days: int) -> date:
    """So many days after *day*; the last day there is where that is beyond it."""
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def _return(purchases: Purchases, command: RecordReturn, occurred_at: datetime) -> ReturnRecorded:
    if not 1 <= len(command.lines) <= LINES_MAX:
        raise InvalidValueError("lines", f"1 to {LINES_MAX} lines")
    for wanted in command.lines:
        check_wanted(wanted, command.currency)
    day = command.local_date or occurred_at.date()
    shelf = Shelf(purchases.open.values())
    taken = [shelf.take(wanted, command.currency, day, occurred_at) for wanted in command.lines]
    matched = tuple(line for lines, _ in taken for line in lines)
    unmatched = tuple(rest for _, rest in taken if rest is not None)
    refund = sum(line.refund.minor for line in matched)
    refund += sum(line.refund.minor for line in unmatched)
    return ReturnRecorded(
        return_key=command.return_key,
        client_id=command.client_id,
        wallet_id=command.wallet_id or WalletId(command.client_id),
        matched=matched,
        unmatched=unmatched,
        refund=Money(refund, command.currency),
        local_date=day,
        unit_id=command.unit_id,
    )


def _forwarded(purchases: Purchases, returned: ReturnRecorded) -> Iterator[PendingEvent]:
    """What is to be told to wallets that the return did not name, wallet by wallet."""
    lines: dict[WalletId, list[ReturnedLine]] = {}
    made: dict[WalletId, list[Ref]] = {}
    for line in returned.matched:
        purchase = purchases.purchase(line.purchase)
        if purchase is not None and purchase.wallet_id != returned.wallet_id:
            lines.setdefault(purchase.wallet_id, []).append(line)
            made.setdefault(purchase.wallet_id, []).append(purchase.ref)
    for wallet_id in sorted(lines):
        forwarded = ReturnForwarded(
            return_key=returned.return_key, wallet_id=wallet_id, lines=tuple(lines[wallet_id])
        )
        because = tuple(dict.fromkeys(made[wallet_id]))
        yield PendingEvent(forwarded, rule="LOY-10", because=because)


def react(record: Record, recorded: RecordedEvent, _context: Context) -> Iterable[PendingEvent]:
    """A purchase that becomes known takes the returns that waited for it, oldest return first."""
    if not isinstance(recorded.event, PurchaseRecorded):
        return
    purchases = record.of(Purchases)
    heard_of = purchases.purchase(recorded.event.purchase) if purchases.waiting else None
    if heard_of is None:
        return
    shelf = Shelf((heard_of,))
    oldest_first = sorted(
        purchases.waiting.values(), key=lambda waiting: (waiting.occurred_at, waiting.ref.version)
    )
    for waiting in oldest_first:
        taken = [_take(shelf, waiting, line) for line in waiting.lines]
        matched = tuple(back for lines, _ in taken for back in lines)
        if matched:
            event = ReturnMatched(
                return_key=waiting.return_key,
                matched=matched,
                unmatched=tuple(rest for _, rest in taken if rest is not None),
            )
            yield PendingEvent(event, rule="DEV-5", because=(recorded.ref, waiting.ref))


def _take(
    shelf: Shelf, waiting: WaitingReturn, line: UnmatchedLine
) -> tuple[tuple[ReturnedLine, ...], UnmatchedLine | None]:
    is_named = line.purchase is not None and line.sku == unnamed_article(line.line_id)
    wanted = Wanted(
        quantity=line.quantity,
        refund=line.refund,
        sku=None if is_named else line.sku,
        purchase=line.purchase,
        line_id=line.line_id,
    )
    return shelf.take(wanted, line.refund.currency, waiting.local_date, waiting.occurred_at)


PURCHASE = RuleSet(
    name="purchase",
    state=Purchases,
    commands=(RecordPurchase, RecordReturn),
    events=(PurchaseRecorded, ReturnRecorded, ReturnForwarded, ReturnMatched),
    decide=decide,
    evolve=evolve,
    react=react,
    keys=keys,
    definition=PurchasePolicy,
    version=3,
)
