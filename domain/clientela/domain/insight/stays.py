"""
Stays: the stage a client is in, and those just before it, which a correction may bring back.
"""

from __future__ import annotations

import bisect

from collections.abc import Mapping
from datetime import datetime

import attrs

from clientela.domain.event import RecordedEvent
from clientela.domain.ids import Code
from clientela.domain.lifecycle.events import StageCorrected, moves_of


STAYS_KEPT = 16
"""Stays remembered in each model. A correction that only takes away more of them than that leaves
no stage; every other one says itself what comes in their place."""


@attrs.frozen
class Stay:
    """
    A stage that was entered.

    Attributes:
        stage: Which.

        since: When.
    """

    stage: Code
    since: datetime


Stays = dict[Code, tuple[Stay, ...]]
"""By model: stays by time, the present one last, at most `STAYS_KEPT` and at least one."""


def stays_after(stays: Mapping[Code, tuple[Stay, ...]], recorded: RecordedEvent) -> Stays:
    """*stays* after an event of the lifecycle; the same for any other (LIFE-1, LIFE-12)."""
    known = {model: list(each) for model, each in stays.items()}
    if isinstance(recorded.event, StageCorrected):
        for correction in recorded.event.corrections:
            before = known.get(correction.model, [])
            known[correction.model] = [stay for stay in before if stay.since < correction.since]
    for move in moves_of(recorded):
        stay = Stay(move.stage, move.at)
        bisect.insort(known.setdefault(move.model, []), stay, key=lambda other: other.since)
    return {model: tuple(each[-STAYS_KEPT:]) for model, each in known.items() if each}
