"""
Backtest: the real history through other definitions, and what would have differed.

Recorded facts are kept, decided ones are asked again, derived and elapsed ones are dropped and made
anew on a virtual clock that stops at each due moment. With the definitions that were in force the
difference is empty.
"""

from __future__ import annotations

import enum
import json

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import attrs

from clientela.domain.codec import Codec, canonical
from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.errors import DomainError
from clientela.domain.event import Origin, RecordedEvent
from clientela.domain.ids import JournalId, JournalKind, Ref


class Kind(enum.Enum):
    """How the two histories differ."""

    GONE = "gone"
    """It happened and would not have."""

    NEW = "new"
    """It did not happen and would have."""

    REFUSED = "refused"
    """It was allowed and would have been refused."""


@attrs.frozen(kw_only=True)
class Difference:
    """
    One event in which the two histories differ.

    Attributes:
        kind: How.

        journal: In which journal.

        occurred_at: When.

        name: Stored name of the event.

        payload: Its payload as canonical JSON, personal values sealed.

        reason: Reason of a refusal; empty otherwise.
    """

    kind: Kind
    journal: JournalId
    occurred_at: datetime
    name: str
    payload: str
    reason: str = ""

    def value(self) -> dict[str, Any]:
        """The payload as plain data."""
        plain: dict[str, Any] = json.loads(self.payload)
        return plain


def backtest(
    events: Sequence[RecordedEvent],
    company: Callable[[Definitions], Company],
    before: Definitions,
    after: Definitions,
    *,
    until: datetime | None = None,
) -> tuple[Difference, ...]:
    """
    What would have differed under other definitions.

    Args:
        events: The whole history, in the order of appending.

        company: Makes an empty company that runs under given definitions.

        before: Definitions that were in force.

        after: Definitions to try.

        until: How far time goes on both sides, what was recorded after it left out; the last
            recording if not said.

    Returns:
        The differences, by journal and time.
    """
    events = [e for e in events if e.journal.kind is not JournalKind.DEFINITIONS]
    until = until or max((e.recorded_at for e in events), default=None)
    if until is None:
        return ()
    events = [e for e in events if e.recorded_at <= until]
    codec = Codec(company(before).rulebook.event_classes)
    was = Counter(_keys(codec, [*events, *_outstanding(events, company(before), until)]))
    would, refused = _replayed(events, company(after), until)
    made = Counter(_keys(codec, would))
    denied = {_key(codec, recorded): reason for recorded, reason in refused}
    gone = [_difference(key, denied.get(key)) for key in (was - made).elements()]
    new = [_difference(key, None, Kind.NEW) for key in (made - was).elements()]
    return tuple(
        sorted((*gone, *new), key=lambda d: (d.journal, d.occurred_at, d.kind.value, d.name))
    )


def without(
    events: Sequence[RecordedEvent], company: Company, removed: Iterable[Ref], until: datetime
) -> Company:
    """
    The company as it would be had the *removed* facts not happened.

    Args:
        events: The whole history, in the order of appending.

        company: An empty one.

        removed: Facts to leave out; what followed from them is not made. A derived one goes with
            its cause, one of time alone with the facts it rests on: else it would be made again.

        until: How far time goes.
    """
    left_out = _grounds(events, removed)
    _replayed([e for e in events if e.ref not in left_out], company, until)
    return company


def _grounds(events: Iterable[RecordedEvent], refs: Iterable[Ref]) -> set[Ref]:
    """The recorded and decided facts that *refs* come from; those themselves among them."""
    events = tuple(events)
    by_ref = {recorded.ref: recorded for recorded in events}
    by_id = {recorded.event_id: recorded for recorded in events}
    grounds: set[Ref] = set()
    open_ = [by_ref.get(ref) for ref in refs]
    while open_:
        recorded = open_.pop()
        if recorded is None:
            continue
        if recorded.causation_id is not None:
            open_.append(by_id.get(recorded.causation_id))
        elif recorded.type.origin is Origin.ELAPSED:
            open_.extend(by_ref.get(ref) for ref in recorded.because)
        else:
            grounds.add(recorded.ref)
    return grounds


_Key = tuple[JournalId, datetime, str, str]


def _replayed(
    events: Sequence[RecordedEvent], company: Company, until: datetime
) -> tuple[list[RecordedEvent], list[tuple[RecordedEvent, str]]]:
    """Run the history through *company*; all events made, and decided ones that were refused."""
    refused: list[tuple[RecordedEvent, str]] = []
    for _, group in groupby(events, key=lambda recorded: recorded.append_id):
        appended = tuple(group)
        for root in _roots(appended):
            # Each journal has a clock of its own: history is told client by client.
            company.now = root.recorded_at
            reason = _again(root, appended, company)
            if reason:
                refused.append((root, reason))
    company.advance(until)
    return company.events, refused


def _roots(appended: Iterable[RecordedEvent]) -> Iterator[RecordedEvent]:
    kept = {Origin.RECORDED, Origin.DECIDED}
    return (recorded for recorded in appended if recorded.type.origin in kept)


def _again(root: RecordedEvent, appended: Iterable[RecordedEvent], company: Company) -> str:
    """Keep a recorded fact, ask a decided one again; the reason if it is refused."""
    if root.type.origin is Origin.RECORDED:
        company.keep(root, (recorded.journal for recorded in appended))
        return ""
    command = company.rulebook.asks(root)
    if command is None:
        return ""
    try:
        company.run(command, root.actor)
    except DomainError as error:
        return error.reason
    return ""


def _outstanding(
    events: Sequence[RecordedEvent], company: Company, until: datetime
) -> list[RecordedEvent]:
    """What time had still to do to the real history up to *until*."""
    company.restore(events)
    company.advance(until)
    return company.events[len(events) :]


def _keys(codec: Codec, events: Iterable[RecordedEvent]) -> Iterator[_Key]:
    return (_key(codec, recorded) for recorded in events)


def _key(codec: Codec, recorded: RecordedEvent) -> _Key:
    name, payload = codec.encode(recorded.event)
    return (recorded.journal, recorded.occurred_at, name, canonical(payload).decode())


def _difference(key: _Key, reason: str | None, kind: Kind = Kind.GONE) -> Difference:
    journal, occurred_at, name, payload = key
    return Difference(
        kind=Kind.REFUSED if reason else kind,
        journal=journal,
        occurred_at=occurred_at,
        name=name,
        payload=payload,
        reason=reason or "",
    )
