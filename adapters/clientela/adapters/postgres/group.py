"""
Appends that are written by one statement: those that wait, in order, as long as they go together.

An append goes with those before it unless it contradicts or undoes what they do: another version of
a journal, a key, a request or a person they touch. It then begins the next group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from clientela.adapters.postgres.jobs import Job
from clientela.adapters.postgres.positions import Strategy
from clientela.adapters.postgres.statement import NUMBERED, PARTS, statement
from clientela.adapters.sqlite.claims import Claims
from clientela.adapters.sqlite.masks import Masks, fresh_mask, masked
from clientela.adapters.sqlite.values import (
    Name,
    answer_text,
    audit_row,
    concerned,
    event_row,
    instant,
    journal_of,
    name_of,
)
from clientela.domain.ids import JournalId
from clientela.services.key_rows import KeyRow
from clientela.services.rows import Answer, Append, Head, Snapshot, StoredEvent


GROUP_MAX = 256
"""Rows of one statement, of events and audit, unless a single append has more."""


class Group:
    """
    Appends in order.

    Args:
        masks: Those remembered.
    """

    def __init__(self, masks: Masks) -> None:
        self.jobs: list[Job] = []
        self._masks = masks
        self._claims = Claims()
        self._made_masks: dict[Name, bytes] = {}
        self._due: dict[Name, datetime | None] = {}
        self._snapshots: dict[JournalId, Snapshot] = {}
        self._rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._ends: list[int] = []
        self._is_closed = False

    @property
    def made_masks(self) -> dict[Name, bytes]:
        """Masks that it makes."""
        return self._made_masks

    @property
    def erases(self) -> bool:
        """Whether its one append destroys keys of persons."""
        return self._is_closed

    @property
    def ends(self) -> Mapping[JournalId, Head]:
        """Where the journals written to are after the appends so far."""
        return {
            journal_of(*name): Head(claim.version, claim.end.hash, claim.end.recorded_at)
            for name, claim in self._claims.journals.items()
            if claim.end is not None
        }

    def takes(self, append: Append) -> bool:
        """Whether *append* goes with those here; anything does with nothing."""
        if not self.jobs:
            return True
        rows = len(append.events) + len(append.audit)
        if self._is_closed or append.keys.forgotten or self._count() + rows > GROUP_MAX:
            return False
        return self._claims.admits(append)

    def add(self, job: Job) -> None:
        """Take an append in; the masks of its answer's journals are known by now."""
        append = job.append
        self.jobs.append(job)
        self._claims.add(append)
        self._write(append.events)
        self._take_keys(append)
        if append.answer is not None:
            self._answer(append.answer)
        self._due.update((name_of(j), at) for j, at in append.due.items())
        self._snapshots.update((s.journal, s) for s in append.snapshots)
        for row in append.audit:
            audited = self._rows["audited"]
            audited.append((len(audited) + 1, *audit_row(row)))
        self._make_keys(append.keys.made)
        self._is_closed = bool(append.keys.forgotten)

    def statement(self, strategy: Strategy) -> tuple[str, list[Any]]:
        """The SQL of all of it, and its arguments."""
        rows = {**self._rows, **self._claimed(), **self._kept()}
        names = tuple(name for name in PARTS if rows.get(name))
        arguments: list[Any] = []
        if strategy.counts and not NUMBERED.isdisjoint(names):
            arguments += [len(rows.get("written", ())), len(rows.get("audited", ()))]
        claims = sum(len(rows[name]) for name in names if PARTS[name].is_claim)
        if claims:
            arguments.append(claims)
        for name in names:
            arguments.extend(zip(*rows[name], strict=True))
        return statement(strategy, names, wants_prior=not self._ends[0]), arguments

    def positions(self, base: int, prior: int) -> Iterable[tuple[Job, int]]:
        """
        The position that each of the callers is told.

        Args:
            base: Where the statement began to give positions.

            prior: Position of the last event before it.
        """
        for job, end in zip(self.jobs, self._ends, strict=True):
            yield job, base + end if end else prior

    def _count(self) -> int:
        return len(self._rows["written"]) + len(self._rows["audited"])

    def _write(self, events: Iterable[StoredEvent]) -> None:
        written = self._rows["written"]
        written.extend((number, *event_row(e)) for number, e in enumerate(events, len(written) + 1))
        self._ends.append(len(written))

    def _take_keys(self, append: Append) -> None:
        reserve = dict(append.reserve)
        for key in {*append.release} - reserve.keys():
            self._rows["released"].append((key.scope, key.value))
        for key, holder in reserve.items():
            kind = "replaced" if key in append.release else "reserved"
            place = (*name_of(holder.ref.journal), holder.ref.version, holder.fingerprint)
            self._rows[kind].append((key.scope, key.value, *place))

    def _answer(self, answer: Answer) -> None:
        masks = [self._mask(name) for name in concerned(answer)]
        text = answer_text(answer, masked(answer.request, answer.fingerprint, masks))
        self._rows["answered"].append((answer.request, instant(answer.at), text))

    def _mask(self, name: Name) -> bytes:
        mask = self._masks.of(name) or self._made_masks.get(name)
        if mask is None:
            mask = self._made_masks[name] = fresh_mask()
            self._rows["made_masks"].append((*name, mask))
        return mask

    def _make_keys(self, made: Iterable[KeyRow]) -> None:
        for row in made:
            name = name_of(row.person)
            self._rows["made_keys"].append((*name, row.kek_id, row.wrapped))
            claim = self._claims.journals.get(name)
            if claim is None or claim.before:
                self._rows["counted"] = [(1,)]

    def _claimed(self) -> dict[str, list[tuple[Any, ...]]]:
        """What must hold of journals, in one order everywhere, so that nobody waits in a circle."""
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in ("moved", "begun")}
        rows |= {
            "stayed": [],
            "absent": [],
            "fence": [(kek_id,) for kek_id in self._claims.kek_ids],
        }
        for name, claim in self._claims.journals.items():
            if claim.end is not None:
                to = (claim.version, claim.end.hash, instant(claim.end.recorded_at))
                before = (claim.before, claim.before_hash) if claim.before else ()
                row = (*name, *before, *to)
                rows["moved" if claim.before else "begun"].append(row)
            elif claim.before:
                rows["stayed"].append((*name, claim.before, claim.before_hash))
            else:
                rows["absent"].append(name)
        return {part: sorted(found) for part, found in rows.items()}

    def _kept(self) -> dict[str, list[tuple[Any, ...]]]:
        """What is kept once a journal, as the last append leaves it."""
        return {
            "due_at": sorted((*name, instant(at)) for name, at in self._due.items() if at),
            "due_never": sorted(name for name, at in self._due.items() if at is None),
            "snapped": [
                (*name_of(s.journal), s.version, s.fingerprint, s.body)
                for s in self._snapshots.values()
            ],
        }
