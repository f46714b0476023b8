"""A rule set of one's own: who buys for more than so much is due a gift, so often and no more."""

from collections.abc import Iterator

import attrs

from clientela.domain.context import Context
from clientela.domain.draft import State, state
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import PurchaseRecorded
from clientela.domain.ids import JournalKind
from clientela.domain.money import Money
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


@attrs.frozen(kw_only=True)
class GiftPolicy:
    """What a company may set, section `[gifts]`; without *above* no gift is due."""

    above: Money | None = None
    at_most: int = attrs.field(default=1, validator=attrs.validators.ge(1))

    def rewards(self, spent: Money) -> bool:
        """Whether a purchase of *spent* is large enough."""
        above = self.above
        return above is not None and above.currency == spent.currency and spent.minor > above.minor


@event("gift-due", origin=Origin.DERIVED)
class GiftDue:
    """A purchase was large enough for a gift (GIFT-1)."""

    spent: Money


@state(JournalKind.CLIENT)
class Gifts(State):
    """How many gifts were due to a client so far."""

    count: int = 0


def evolve(draft: Gifts, recorded: RecordedEvent) -> None:
    """One gift more; the purchase itself changes nothing here."""
    draft.count += isinstance(recorded.event, GiftDue)


def react(record: Record, recorded: RecordedEvent, context: Context) -> Iterator[PendingEvent]:
    """A gift for a large purchase, by the definitions in force when it was made."""
    version = context.definitions.at(recorded.occurred_at)
    policy = version.of(GiftPolicy)
    match recorded.event:
        case PurchaseRecorded(total=spent) if policy.rewards(spent):
            if record.of(Gifts).count < policy.at_most:
                because, label = (recorded.ref,), version.label("gifts")
                yield PendingEvent(GiftDue(spent=spent), "GIFT-1", because, definition=label)


GIFTS = RuleSet(
    name="gifts",
    state=Gifts,
    events=(GiftDue,),
    hears=(PurchaseRecorded,),
    evolve=evolve,
    react=react,
    definition=GiftPolicy,
)
