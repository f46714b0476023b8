"""
Cards: what one look at a client needs, folded from the client's journal and own wallet (REC-1).

A card decides nothing and may be thrown away: it is folded again from the same events.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from clientela.domain.event import RecordedEvent
from clientela.domain.facts import (
    ApproachMade,
    ClientErased,
    ClientLeft,
    InteractionRecorded,
    PurchaseRecorded,
    ReturnMatched,
    ReturnRecorded,
)
from clientela.domain.identity.details import (
    ClientKind,
    ClientUpdated,
    Details,
    Standing,
    overlaid,
)
from clientela.domain.identity.identifiers import Identifier, fold
from clientela.domain.identity.profile import ClientStandingChanged
from clientela.domain.identity.registration import ClientRegistered
from clientela.domain.ids import ClientId, Code, EmployeeId, JournalKind, UnitId
from clientela.domain.insight.days import Days
from clientela.domain.insight.points import Points
from clientela.domain.insight.stays import Stay, Stays, stays_after
from clientela.domain.insight.trade import Trade
from clientela.domain.lifecycle.events import (
    StageCorrected,
    StageEntered,
    StageEnteredByTime,
    StageSet,
)
from clientela.domain.ownership.claim import ClientClaimed
from clientela.domain.ownership.lapse import OwnershipLapsed
from clientela.domain.ownership.orphaning import ClientOrphaned
from clientela.domain.ownership.replacement import OwnerReplaced
from clientela.domain.personal import PersonalText


@attrs.frozen(kw_only=True)
class Card:
    """
    A client at a glance.

    Erasure takes details and identifiers away and leaves ids, codes and sums.

    Attributes:
        client_id: The client; or the wallet, where there is no client behind it.

        kind: Person or organisation; None for a wallet without a client.

        standing: Client or prospect; likewise.

        registered_at: When it entered the base; None for a wallet without a client.

        details: What is known of it, names sealed.

        identifiers: By what it is recognised, sealed, by number.

        owner_id: The owner, or the one who left while the client is orphaned; None for nobody.

        unit_id: The owner's unit when ownership began.

        is_orphaned: Whether the owner has left and the client waits for a new one (OWN-3).

        stays: The present stage by lifecycle model, last of a few.

        trade: Purchases and returns.

        days: On which days it bought.

        last_purchase_at: When it last bought.

        points: Points of its own wallet, whoever's purchases earned them.

        last_contact_at: When it was last approached or in contact; a refused approach is none, a
            purchase has its own moment.

        left_at: When it last left (LIFE-23), whether or not it came back.

        erased_at: When its personal values were destroyed; None while they are there.
    """

    client_id: ClientId
    kind: ClientKind | None = None
    standing: Standing | None = None
    registered_at: datetime | None = None
    details: Details = attrs.field(factory=Details)
    identifiers: dict[int, Identifier] = attrs.field(factory=dict[int, Identifier])
    owner_id: EmployeeId | None = None
    unit_id: UnitId | None = None
    is_orphaned: bool = False
    stays: Stays = attrs.field(factory=dict[Code, tuple[Stay, ...]])
    trade: Trade = attrs.field(factory=Trade)
    days: Days = attrs.field(factory=Days)
    last_purchase_at: datetime | None = None
    points: Points = attrs.field(factory=Points)
    last_contact_at: datetime | None = None
    left_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def name(self) -> PersonalText | None:
        """The whole name, sealed; None if none is known or any more."""
        return self.details.name

    @property
    def stages(self) -> Mapping[Code, Stay]:
        """The present stage by lifecycle model (LIFE-12)."""
        return {model: stays[-1] for model, stays in self.stays.items()}

    @property
    def has_left(self) -> bool:
        """Whether it left and has not bought since (LIFE-23)."""
        if self.left_at is None:
            return False
        return self.last_purchase_at is None or self.last_purchase_at <= self.left_at


def key_of(recorded: RecordedEvent) -> str | None:
    """The card an event belongs to: a client and the client's own wallet bear one id."""
    is_clients = recorded.journal.kind in {JournalKind.CLIENT, JournalKind.WALLET}
    return recorded.journal.id if is_clients else None


def evolve(card: Card | None, recorded: RecordedEvent) -> Card:
    """*card* after an event of its client or wallet; None stands for no event yet."""
    card = card or Card(client_id=ClientId(recorded.journal.id))
    match recorded.event:
        case ClientClaimed() | OwnerReplaced() as owned:
            return attrs.evolve(
                card, owner_id=owned.owner_id, unit_id=owned.unit_id, is_orphaned=False
            )
        case ClientOrphaned():
            return attrs.evolve(card, is_orphaned=True)
        case OwnershipLapsed():
            return attrs.evolve(card, owner_id=None, unit_id=None, is_orphaned=False)
        case PurchaseRecorded() as bought:
            return attrs.evolve(
                card,
                trade=card.trade.after(bought),
                days=card.days.after(bought.local_date),
                last_purchase_at=_later(card.last_purchase_at, recorded),
            )
        case ReturnRecorded() | ReturnMatched():
            return attrs.evolve(card, trade=card.trade.after(recorded.event))
        case ApproachMade() | InteractionRecorded():
            return attrs.evolve(card, last_contact_at=_later(card.last_contact_at, recorded))
        case ClientLeft():
            return attrs.evolve(card, left_at=_later(card.left_at, recorded))
        case StageEntered() | StageEnteredByTime() | StageSet() | StageCorrected():
            return attrs.evolve(card, stays=stays_after(card.stays, recorded))
        case _ if recorded.journal.kind is JournalKind.WALLET:
            return attrs.evolve(card, points=card.points.after(recorded.event))
        case _:
            return _identified(card, recorded)


def _identified(card: Card, recorded: RecordedEvent) -> Card:
    """*card* after an event of identity; the same for any other."""
    match recorded.event:
        case ClientRegistered() as registered:
            return attrs.evolve(
                card,
                kind=registered.kind,
                standing=registered.standing,
                details=registered.details,
                registered_at=recorded.occurred_at,
            )
        case ClientUpdated(after=after, fields=fields):
            return attrs.evolve(card, details=overlaid(card.details, after, fields))
        case ClientStandingChanged(after=standing):
            return attrs.evolve(card, standing=standing)
        case ClientErased():
            return attrs.evolve(
                card, details=Details(), identifiers={}, erased_at=recorded.occurred_at
            )
        case _:
            identifiers = dict(card.identifiers)
            fold(identifiers, recorded)
            return attrs.evolve(card, identifiers=identifiers)


def _later(known: datetime | None, recorded: RecordedEvent) -> datetime:
    """The later of a known moment and that of an event, which may have become known late."""
    return recorded.occurred_at if known is None else max(known, recorded.occurred_at)
