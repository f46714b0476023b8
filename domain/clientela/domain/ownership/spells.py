"""
Ownership spells: who looked after the client, from when to when (OWN-9).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.event import Actor, RecordedEvent
from clientela.domain.ids import Code, EmployeeId, Ref, UnitId
from clientela.domain.ownership.claim import ClientClaimed
from clientela.domain.ownership.lapse import OwnershipLapsed
from clientela.domain.ownership.replacement import OwnerReplaced


@attrs.frozen(kw_only=True)
class Spell:
    """
    One owner's time with the client, a half-open interval.

    Attributes:
        owner_id: Who.

        unit_id: The owner's unit when it began.

        began_at: First moment.

        ended_at: First moment after it; None while it lasts.

        reason: Why it began: `claim` or the listed reason of the replacement.

        by: Who brought it about.

        claim: The event that began it.
    """

    owner_id: EmployeeId
    unit_id: UnitId
    began_at: datetime
    ended_at: datetime | None
    reason: Code
    by: Actor
    claim: Ref


CLAIM = Code("claim")


def spells(events: Iterable[RecordedEvent]) -> tuple[Spell, ...]:
    """
    All spells of a client, oldest first, without gap inside a spell and without overlap.

    One that is told late to have begun ends those before it at its begin.

    Args:
        events: The client's journal, in order of version.
    """
    found: list[Spell] = []
    for recorded in events:
        match recorded.event:
            case ClientClaimed(owner_id=owner_id, unit_id=unit_id):
                reason = CLAIM
            case OwnerReplaced(owner_id=owner_id, unit_id=unit_id, reason=reason):
                pass
            case OwnershipLapsed():
                _end_last(found, recorded.occurred_at)
                continue
            case _:
                continue
        _end_last(found, recorded.occurred_at)
        found = [_before(spell, recorded.occurred_at) for spell in found]
        found.append(
            Spell(
                owner_id=owner_id,
                unit_id=unit_id,
                began_at=recorded.occurred_at,
                ended_at=None,
                reason=reason,
                by=recorded.actor,
                claim=recorded.ref,
            )
        )
    return tuple(found)


def owner_at(events: Iterable[RecordedEvent], moment: datetime) -> Spell | None:
    """The spell that covers *moment*, or None if the client was unowned then."""
    for spell in spells(events):
        if spell.began_at <= moment and (spell.ended_at is None or moment < spell.ended_at):
            return spell
    return None


def _before(spell: Spell, moment: datetime) -> Spell:
    """What of *spell*, which has ended, lies before *moment*."""
    if spell.ended_at is None or spell.ended_at <= moment:
        return spell
    return attrs.evolve(spell, ended_at=max(moment, spell.began_at))


def _end_last(found: list[Spell], moment: datetime) -> None:
    if found and found[-1].ended_at is None:
        last = found.pop()
        found.append(attrs.evolve(last, ended_at=max(moment, last.began_at)))
