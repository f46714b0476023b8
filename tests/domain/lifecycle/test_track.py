"""
Tracks: bounded in size, and packed moves as they were.
"""

from __future__ import annotations

from typing import Any

import attrs

from clientela.domain.behaviour import kept
from clientela.domain.codec import Codec, canonical
from clientela.domain.ids import Code, Ref, WalletId, wallet_journal
from clientela.domain.lifecycle import track_draft
from clientela.domain.lifecycle.course import Means, Move
from clientela.domain.lifecycle.kept_moves import moves_in, packed_moves
from clientela.domain.lifecycle.stages import Lifecycle
from tests.domain.lifecycle.histories import (
    JOURNAL,
    SHOP_DEFINITION,
    Write,
    bought,
    contact,
    day,
    in_time,
    left,
    registered,
)


BYTES_MAX = 10_000

ENTERED = Move(
    model=Code("shop"),
    stage=Code("a|b"),
    previous=None,
    at=day(1),
    means=Means.TIME,
    because=(Ref(JOURNAL, 3), Ref(wallet_journal(WalletId("w,1")), 4)),
    causes=(Code("moved,away"), Code("other")),
    cycle=2,
    rule=Code("LIFE-23"),
    definition=Code("lifecycle@3"),
    counts_from=day(0.5),
    ref=Ref(JOURNAL, 9),
)
PLAIN = Move(
    model=Code("clm"),
    stage=Code("purchase"),
    previous=Code("interest"),
    at=day(2),
    means=Means.FACT,
    by=Ref(JOURNAL, 8),
    rule=Code("LIFE-19"),
    definition=Code(""),
)


def test_moves_come_back_as_they_were():
    """
    LIFE-12: packed moves are the same moves, with the events that did and recorded them.
    """
    found = moves_in(packed_moves([ENTERED, PLAIN], JOURNAL), JOURNAL)

    assert (ENTERED, PLAIN) == found
    assert [(None, Ref(JOURNAL, 9)), (Ref(JOURNAL, 8), None)] == [(m.by, m.ref) for m in found]


def test_state_of_a_busy_client_is_small():
    """
    Goal 19: after hundreds of purchases and calls the state is a few kilobytes, and grows no more.
    """
    facts = [registered(0)]
    for number in range(1, 301):
        facts += [bought(number), contact(number + 0.5)]
    codec = Codec(())
    sizes = []
    for known in (facts[:301], facts):
        scenario = in_time(known, SHOP_DEFINITION, day(301))
        sizes.append(len(canonical(codec.plain(scenario.record(JOURNAL).of(Lifecycle)))))

    half, whole = sizes
    assert whole <= BYTES_MAX
    assert whole - half <= BYTES_MAX // 20


def test_many_events_folded_at_once_are_the_same_as_one_by_one(monkeypatch):
    """
    LIFE-12: where the tail is cut, and what is remembered then, does not depend on how many events
    are folded together; calendar days that come in no order are counted alike.
    """
    for name, value in (("TAIL_MAX", 4), ("TAIL_KEPT", 2), ("MOVES_MAX", 6)):
        monkeypatch.setattr(track_draft, name, value)
    monkeypatch.setattr(kept, "MARKS_MAX", 2)
    facts = [registered(0)]
    for number in range(1, 41):
        local_date = day(number * 7 % 11).date()
        purchase: Any = bought(number).fact
        facts.append(Write(attrs.evolve(purchase, local_date=local_date), day(number)))
    facts += [contact(41), left(42), bought(43)]
    scenario = in_time(facts, SHOP_DEFINITION, day(300))
    rulebook = scenario.rulebook

    one_by_one = rulebook.empty(JOURNAL)
    for recorded in scenario.events:
        one_by_one = rulebook.fold(one_by_one, [recorded])

    assert one_by_one == rulebook.fold(rulebook.empty(JOURNAL), scenario.events)
