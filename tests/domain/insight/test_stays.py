"""
Which stage a client is in.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from clientela.domain.event import SYSTEM, RecordedEvent
from clientela.domain.ids import ClientId, Code, EventId, client_journal
from clientela.domain.insight.stays import STAYS_KEPT, Stay, Stays, stays_after
from clientela.domain.lifecycle.course import Means, Move
from clientela.domain.lifecycle.events import (
    Correction,
    StageCorrected,
    StageEntered,
    StageEnteredByTime,
    StageSet,
)
from tests.domain.insight.histories import AT, PETRA


SHOP = Code("shop")
OTHER = Code("other")


def day(number: int) -> datetime:
    """So many days after the first."""
    return AT + timedelta(days=number)


def recorded(event: object, number: int = 0) -> RecordedEvent:
    """An event that happened on a day."""
    return RecordedEvent(
        event_id=EventId("e1"),
        journal=client_journal(PETRA),
        version=1,
        event=event,
        occurred_at=day(number),
        recorded_at=day(number),
        actor=SYSTEM,
        on_behalf_of=None,
        unit=None,
        request=None,
        append_id="a1",
        index=0,
        count=1,
        correlation_id="c1",
        causation_id=None,
        rule="LIFE-12",
        definition="lifecycle@1",
        because=(),
    )


def entered(stage: str, number: int, model: Code = SHOP) -> RecordedEvent:
    """A stage entered on a day."""
    made = StageEntered(client_id=ClientId("petra"), model=model, stage=Code(stage))
    return recorded(made, number)


def corrected(since: int, *stages: tuple[str, int]) -> RecordedEvent:
    """What the stages since a day turned out to have been."""
    moves = tuple(
        Move(
            model=SHOP,
            stage=Code(stage),
            previous=None,
            at=day(number),
            means=Means.FACT,
            rule=Code("LIFE-1"),
            definition=Code("lifecycle@1"),
        )
        for stage, number in stages
    )
    correction = Correction(model=SHOP, since=day(since), moves=moves)
    return recorded(StageCorrected(client_id=PETRA, corrections=(correction,)), 99)


def folded(*events: RecordedEvent) -> Stays:
    """The stays after these events."""
    stays: Stays = {}
    for each in events:
        stays = stays_after(stays, each)
    return stays


def test_each_way_into_a_stage_counts():
    """
    LIFE-12, LIFE-26: by a fact, by time and by hand a client comes into a stage; models go apart.
    """
    by_time = StageEnteredByTime(client_id=PETRA, model=SHOP, stage=Code("cold"))
    by_hand = StageSet(
        client_id=PETRA,
        model=SHOP,
        stage=Code("friend"),
        previous=Code("cold"),
        reason=Code("known"),
    )

    stays = folded(
        entered("guest", 0),
        entered("potential", 0, OTHER),
        recorded(by_time, 1),
        recorded(by_hand, 2),
    )

    assert (
        Stay(Code("guest"), day(0)),
        Stay(Code("cold"), day(1)),
        Stay(Code("friend"), day(2)),
    ) == (stays[SHOP])
    assert (Stay(Code("potential"), day(0)),) == stays[OTHER]


def test_correction_takes_away_and_puts_in():
    """
    LIFE-1: stages since the moment of a correction are void, its own come in their place, and
    without any the stage before holds again.
    """
    told = (entered("guest", 0), entered("cold", 5), entered("gone", 9))

    assert Stay(Code("regular"), day(7)) == folded(*told, corrected(5, ("regular", 7)))[SHOP][-1]
    assert Stay(Code("guest"), day(0)) == folded(*told, corrected(5))[SHOP][-1]
    assert Stay(Code("cold"), day(5)) == folded(*told, corrected(9))[SHOP][-1]
    assert {} == folded(*told, corrected(0))


def test_stays_have_a_bound():
    """
    A client that goes to and fro keeps its last sixteen stays, and the right present one.
    """
    stays = folded(*(entered(f"s{number}", number) for number in range(100)))[SHOP]

    assert (STAYS_KEPT, Stay(Code("s99"), day(99))) == (len(stays), stays[-1])
