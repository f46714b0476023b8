"""
The points ledger: the rules of a wallet, composed (LOY-4, LOY-5, LOY-10).

It hears purchases and returns from the client's journal and keeps in its own events whatever a
later return, expiry or payment will need.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from clientela.domain.context import Context, Definitions, Directory, Naming
from clientela.domain.event import Key, PendingEvent, RecordedEvent
from clientela.domain.facts import (
    ClientErased,
    PurchaseRecorded,
    ReturnForwarded,
    ReturnMatched,
    ReturnRecorded,
)
from clientela.domain.ids import JournalKind, WalletId, wallet_journal
from clientela.domain.loyalty import (
    adjustment,
    card_use,
    cards,
    debt,
    earning,
    expiry,
    membership,
    restoration,
    returns,
    revocation,
    spending,
)
from clientela.domain.loyalty.adjustment import AdjustPoints, PointsGranted, PointsWithdrawn
from clientela.domain.loyalty.card import (
    CardBlocked,
    CardIssued,
    CardReplaced,
    CardsClosed,
    CardUnblocked,
)
from clientela.domain.loyalty.cards import BlockCard, IssueCard, ReplaceCard, UnblockCard
from clientela.domain.loyalty.debt import DebtCreated, DebtRepaid
from clientela.domain.loyalty.earning import EarningDeclined, PointsIssued
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.membership import MemberEnrolled, OpenWallet, WalletOpened
from clientela.domain.loyalty.programme import Programme
from clientela.domain.loyalty.restoration import PointsRestored
from clientela.domain.loyalty.returns import (
    ReceiveReturn,
    ReturnParked,
    ReturnReceived,
    ReturnResumed,
)
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.loyalty.spending import PointsCaptured, SpendPoints, TenderAttributed
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


Command = (
    OpenWallet
    | IssueCard
    | BlockCard
    | UnblockCard
    | ReplaceCard
    | SpendPoints
    | AdjustPoints
    | ReceiveReturn
)


def keys(command: Command, naming: Naming) -> tuple[Key, ...]:
    """Identities and card numbers that *command* names."""
    match command:
        case SpendPoints():
            return spending.keys(command, naming)
        case AdjustPoints():
            return adjustment.keys(command, naming)
        case ReceiveReturn():
            return returns.keys(command, naming)
        case IssueCard() | BlockCard() | UnblockCard() | ReplaceCard():
            return cards.keys(command, naming)
        case OpenWallet():
            return ()
        case _:
            assert_never(command)


def decide(record: Record, command: Command, context: Context) -> Iterable[PendingEvent]:
    """
    Open a wallet, issue or change a card, spend or adjust points, receive a forwarded return.

    Raises:
        DomainError: as the command's own module says.
    """
    match command:
        case SpendPoints():
            return spending.spend(record, command, context)
        case AdjustPoints():
            return adjustment.adjust(record, command, context)
        case ReceiveReturn():
            return returns.receive(record, command, context)
        case IssueCard() | BlockCard() | UnblockCard() | ReplaceCard():
            return cards.decide(record, command, context)
        case OpenWallet():
            return membership.open_wallet(record, command)
        case _:
            assert_never(command)


def react(record: Record, recorded: RecordedEvent, context: Context) -> Iterable[PendingEvent]:
    """What purchases, returns and points coming in lead to."""
    wallet = record.of(Wallet)
    match recorded.event:
        case PurchaseRecorded(wallet_id=wallet_id) if _is_loaded(record, wallet_id):
            yield from _purchase(wallet, recorded, context)
        case ReturnRecorded(return_key=key, matched=lines):
            pieces = returns.by_purchase(lines)
            yield from returns.take_back(wallet, pieces, key, recorded, context)
        case ReturnMatched(return_key=key, matched=lines) if wallet.opened is not None:
            pieces = returns.by_purchase(lines)
            yield from returns.park(wallet, pieces, key, recorded.ref)
            yield from returns.take_back(wallet, pieces, key, recorded, context)
        case ReturnReceived(return_key=key, lines=lines):
            pieces = returns.by_purchase(lines)
            yield from returns.take_back(wallet, pieces, key, recorded, context, is_paid_out=True)
        case ReturnResumed(return_key=key) as resumed:
            pieces = returns.waited(resumed)
            yield from returns.take_back(wallet, pieces, key, recorded, context)
        case PointsIssued() | PointsGranted() | PointsRestored():
            yield from debt.settle(wallet, recorded, context)
        case ClientErased():
            yield from cards.close(wallet, recorded, context)
        case _:
            pass


def _is_loaded(record: Record, wallet_id: WalletId) -> bool:
    return record.journal(JournalKind.WALLET).id == wallet_journal(wallet_id)


def _purchase(wallet: Wallet, recorded: RecordedEvent, context: Context) -> Iterable[PendingEvent]:
    purchase: PurchaseRecorded = recorded.event
    if wallet.has_heard_of(purchase.purchase):
        return
    version = context.definitions.at(recorded.occurred_at)
    if wallet.opened is None:
        enrolled = tuple(membership.enrol(recorded, version))
        if not enrolled:
            return
        yield from enrolled
    yield from spending.attribute(recorded)
    yield from earning.earn(recorded, version, context)
    yield from returns.resume(wallet, purchase.purchase, recorded.ref)


def due(record: Record, _definitions: Definitions) -> datetime | None:
    """When the next points expire; the moment was fixed when they came."""
    return expiry.due(record.of(Wallet))


def elapse(record: Record, context: Context) -> Iterable[PendingEvent]:
    """Points expire."""
    return expiry.elapse(record.of(Wallet), context)


def evolve(draft: Wallet, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    ref = recorded.ref
    match recorded.event:
        case PointsIssued() as event:
            earning.fold_issued(draft, event, recorded)
        case EarningDeclined() as event:
            earning.fold_declined(draft, event, ref)
        case PointsCaptured() as event:
            spending.fold_captured(draft, event, ref)
        case TenderAttributed() as event:
            spending.fold_attributed(draft, event, ref)
        case PointsExpired() as event:
            expiry.fold_expired(draft, event, ref)
        case PointsRevoked() as event:
            revocation.fold_revoked(draft, event, ref)
        case PointsRestored() as event:
            restoration.fold_restored(draft, event, ref)
        case DebtCreated() as event:
            debt.fold_created(draft, event, ref)
        case DebtRepaid() as event:
            debt.fold_repaid(draft, event, ref)
        case PointsGranted() as event:
            adjustment.fold_granted(draft, event, recorded)
        case PointsWithdrawn() as event:
            adjustment.fold_withdrawn(draft, event, ref)
        case ReturnParked() as event:
            returns.fold_parked(draft, event, ref)
        case ReturnResumed() as event:
            returns.fold_resumed(draft, event, ref)
        case WalletOpened() | MemberEnrolled() as event:
            membership.fold_opened(draft, event, ref)
        case CardIssued() as event:
            card_use.fold_issued(draft, event, ref)
        case CardBlocked() | CardUnblocked() as event:
            card_use.fold_status(draft, event, ref)
        case CardReplaced() as event:
            card_use.fold_replaced(draft, event, ref)
        case CardsClosed() as event:
            card_use.fold_closed(draft, event, ref)
        case _:
            pass


def follow_up(recorded: RecordedEvent, _directory: Directory) -> Iterable[Command]:
    """A return that named another wallet is told to the one it is for (LOY-10)."""
    return returns.follow_up(recorded)


def asks(recorded: RecordedEvent) -> Command | None:
    """The command behind a decided event."""
    wallet_id, at = WalletId(recorded.journal.id), recorded.occurred_at
    match recorded.event:
        case WalletOpened(client_id=client_id) if client_id is not None:
            return OpenWallet(client_id=client_id, occurred_at=at)
        case PointsCaptured(spend=spend, points=points) as made:
            return SpendPoints(
                wallet_id=wallet_id,
                spend=spend,
                points=points,
                purchase=made.purchase,
                card_id=made.card_id,
                occurred_at=at,
            )
        case PointsGranted() | PointsWithdrawn() as adjusted:
            return adjustment.asked(adjusted, wallet_id, at)
        case CardIssued() | CardBlocked() | CardUnblocked() | CardReplaced() as changed:
            return cards.asked(changed, wallet_id, at)
        case _:
            return None


LOYALTY = RuleSet(
    name="loyalty",
    state=Wallet,
    commands=(
        OpenWallet,
        IssueCard,
        BlockCard,
        UnblockCard,
        ReplaceCard,
        SpendPoints,
        AdjustPoints,
        ReceiveReturn,
    ),
    events=(
        WalletOpened,
        MemberEnrolled,
        CardIssued,
        CardBlocked,
        CardUnblocked,
        CardReplaced,
        CardsClosed,
        PointsIssued,
        EarningDeclined,
        PointsCaptured,
        TenderAttributed,
        PointsGranted,
        PointsWithdrawn,
        PointsExpired,
        PointsRevoked,
        PointsRestored,
        DebtCreated,
        DebtRepaid,
        ReturnParked,
        ReturnResumed,
        ReturnReceived,
    ),
    hears=(PurchaseRecorded, ReturnRecorded, ReturnForwarded, ReturnMatched, ClientErased),
    decide=decide,
    evolve=evolve,
    react=react,
    due=due,
    elapse=elapse,
    keys=keys,
    follow_up=follow_up,
    follows=(ReturnForwarded,),
    asks=asks,
    definition=Programme,
    version=2,
)
