"""
Explanations: why an employee looks after a client, or why nobody does (OWN-1 to OWN-5, OWN-9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain.context import Definitions
from clientela.domain.event import Origin, RecordedEvent
from clientela.domain.ids import Code, Ref
from clientela.domain.ownership.claim import ClientClaimed
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.lapse import OwnershipLapsed, due
from clientela.domain.ownership.replacement import OwnerReplaced
from clientela.domain.ownership.spells import Spell, spells
from clientela.domain.record import Record


@attrs.frozen(kw_only=True)
class Explanation:
    """
    Why a client has the owner it has.

    Attributes:
        spell: The owner and since when; None while the client has none.

        previous: The spell that was handed over or that lapsed; None if there was none.

        is_orphaned: Whether the owner has left and the client waits for a new one (OWN-3).

        until: When ownership lapses if the owner does not approach; None if it does not lapse.

        rule: Catalogue id or setting of the rule that began or ended ownership; None before that.

        definition: The definition applied, for instance `ownership@3`, if one was.

        facts: The recorded and decided facts without which one of these would differ.
    """

    spell: Spell | None = None
    previous: Spell | None = None
    is_orphaned: bool = False
    until: datetime | None = None
    rule: Code | None = None
    definition: Code | None = None
    facts: tuple[Ref, ...] = ()


def explain(
    record: Record, events: Iterable[RecordedEvent], definitions: Definitions
) -> Explanation:
    """
    Why the client of *record* has its owner, or none.

    Args:
        record: The client's, with time elapsed.

        events: The client's whole journal, in order of version, with time elapsed likewise.

        definitions: All versions.
    """
    ownership = record.of(Ownership)
    known = {recorded.ref: recorded for recorded in events}
    turns = [e for e in known.values() if isinstance(e.event, _TURNS)]
    if not turns:
        return Explanation()
    turn = turns[-1]
    *earlier, last = spells(known.values())
    has_lapsed = isinstance(turn.event, OwnershipLapsed)
    spell, previous = (None, last) if has_lapsed else (last, _handed_over(turn, earlier))
    until = due(record, definitions)
    named = (turn.ref, previous and previous.claim, ownership.orphaned, until and ownership.touch)
    facts = {fact for ref in named if ref for fact in _facts(known[ref], known)}
    return Explanation(
        spell=spell,
        previous=previous,
        is_orphaned=ownership.orphaned is not None,
        until=until,
        rule=Code(turn.rule),
        definition=None if turn.definition is None else Code(turn.definition),
        facts=tuple(sorted(facts)),
    )


_TURNS = (ClientClaimed, OwnerReplaced, OwnershipLapsed)
"""Events with which ownership begins or ends."""


def _handed_over(turn: RecordedEvent, earlier: list[Spell]) -> Spell | None:
    """The spell before, if the owner followed on another one."""
    return earlier[-1] if earlier and turn.event.previous_owner_id is not None else None


def _facts(recorded: RecordedEvent, known: dict[Ref, RecordedEvent]) -> Iterator[Ref]:
    """
    What *recorded* rests on: itself, if it is a fact, and those that it names.

    A derived event that is named stands for its own facts; other journals are not followed.
    """
    if _is_fact(recorded):
        yield recorded.ref
    for ref in recorded.because:
        if ref in known and not _is_fact(known[ref]):
            yield from _facts(known[ref], known)
        else:
            yield ref


def _is_fact(recorded: RecordedEvent) -> bool:
    return recorded.type.origin in {Origin.RECORDED, Origin.DECIDED}
