"""
A rule set of alarms on clients: one rings, one is broken.
"""

from __future__ import annotations

import enum

from datetime import datetime

import attrs

from clientela.domain.draft import State, state
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.ids import ClientId, JournalKind, client_journal
from clientela.domain.ruleset import RuleSet
from tests.services.firm import PETRA


class Sound(enum.Enum):
    """What becomes of an alarm."""

    RINGS = "rings"
    BROKEN = "broken"


@event("test-alarm-set", origin=Origin.RECORDED)
class AlarmSet:
    """An alarm is to ring."""

    at: datetime
    sound: Sound


@event("test-alarm-rung", origin=Origin.ELAPSED)
class AlarmRung:
    """It rang."""


@state(JournalKind.CLIENT)
class Alarm(State):
    """The alarm that is set."""

    at: datetime | None = None
    sound: Sound = Sound.RINGS


@attrs.frozen(kw_only=True)
class SetAlarm:
    """Set the client's alarm."""

    at: datetime
    client_id: ClientId = PETRA
    sound: Sound = Sound.RINGS
    occurred_at: None = None

    def journals(self):
        return (client_journal(self.client_id),)


def _set(_record, command, _context):
    return (PendingEvent(AlarmSet(at=command.at, sound=command.sound), rule="ALARM-1"),)


def _evolve(draft, recorded):
    match recorded.event:
        case AlarmSet(at=at, sound=sound):
            draft.at, draft.sound = at, sound
        case _:
            draft.at = None


def _due(record, _definitions):
    return record.of(Alarm).at


def _ring(record, _context):
    if record.of(Alarm).sound is Sound.BROKEN:
        return ()
    return (PendingEvent(AlarmRung(), rule="ALARM-2"),)


ALARMS = RuleSet(
    name="alarms",
    state=Alarm,
    commands=(SetAlarm,),
    events=(AlarmSet, AlarmRung),
    decide=_set,
    evolve=_evolve,
    due=_due,
    elapse=_ring,
)
