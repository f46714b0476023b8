"""
Who has a wallet: on request, or by the first purchase if the programme says so (LOY-4).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.context import DefinitionVersion
from clientela.domain.errors import UnknownError
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import PurchaseRecorded
from clientela.domain.ids import (
    ClientId,
    JournalId,
    JournalKind,
    Ref,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.loyalty.programme import Enrol, Programme
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.record import Record


@attrs.frozen(kw_only=True)
class OpenWallet:
    """
    A client asks to take part.

    Attributes:
        client_id: Who; the wallet bears the client's id.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's and the wallet's."""
        return (client_journal(self.client_id), wallet_journal(WalletId(self.client_id)))


@event("wallet-opened", origin=Origin.DECIDED)
class WalletOpened:
    """
    A client took part on request (LOY-4).

    Attributes:
        wallet_id: The wallet.

        client_id: Whose it is; None for one without a client behind it.
    """

    wallet_id: WalletId
    client_id: ClientId | None


@event("member-enrolled", origin=Origin.DERIVED)
class MemberEnrolled:
    """
    The first purchase opened the client's own wallet (LOY-4).

    Attributes:
        wallet_id: The wallet.

        client_id: Whose it is.
    """

    wallet_id: WalletId
    client_id: ClientId


def open_wallet(record: Record, command: OpenWallet) -> Iterable[PendingEvent]:
    """
    Open the client's own wallet; one that is open stays so.

    Raises:
        UnknownError: no such client.
    """
    if not record.exists(JournalKind.CLIENT):
        raise UnknownError("client", command.client_id)
    if record.of(Wallet).opened is not None:
        return ()
    opened = WalletOpened(wallet_id=WalletId(command.client_id), client_id=command.client_id)
    return (PendingEvent(opened, rule="LOY-4"),)


def enrol(recorded: RecordedEvent, version: DefinitionVersion) -> Iterable[PendingEvent]:
    """What the first purchase into an unopened wallet makes of it."""
    purchase: PurchaseRecorded = recorded.event
    is_own = purchase.wallet_id == WalletId(purchase.client_id)
    if is_own and version.of(Programme).enrol is Enrol.ON_FIRST_PURCHASE:
        enrolled = MemberEnrolled(wallet_id=purchase.wallet_id, client_id=purchase.client_id)
        yield PendingEvent(
            enrolled, rule="LOY-4", because=(recorded.ref,), definition=version.label("loyalty")
        )


def fold_opened(draft: Wallet, opened: WalletOpened | MemberEnrolled, ref: Ref) -> None:
    """The wallet is open."""
    draft.opened = ref
    draft.client_id = opened.client_id
