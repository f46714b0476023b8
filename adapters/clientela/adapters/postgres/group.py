"""
Appends that are written by one statement: those that wait, in order, as long as they go together.

An append goes with those before it unless it contradicts or undoes what they do: another version of
a journal, a key, a request or a person they touch. It then begins the next group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from clientela.adapters.postgres.jobs import Job
from clientela.adapters.postgres.masks import Masks, fresh_mask, masked
from clientela.adapters.postgres.positions import Strategy
from clientela.adapters.postgres.statement import NUMBERED, PARTS, statement
from clientela.adapters.sqlite.values import answer_text, audit_row, event_row, instant, name_of
from clientela.domain.event import Key
from clientela.domain.fingerprint import Fingerprint
from clientela.domain.ids import Blind, JournalId
from clientela.services.key_rows import KeyRow
from clientela.services.rows import Answer, Append, Head, Snapshot, StoredEvent


GROUP_MAX = 256
"""Rows of one statement, of events and audit, unless a single append has more."""

Name = tuple[str, str]


@attrs.define
class _Claim:
    """
    What a group rests on in a journal, and where it takes it.

    Attributes:
        before: Version it must be at.

        version: Version it is at after the appends so far.

        before_hash: Hash it must end in; empty for any.

        end: Its last event after them; None if it is not written to.
    """

    before: int
    version: int
    before_hash: str = ""
    end: StoredEvent | None = None

    @property
    def hash(self) -> str:
        """What it ends in after the appends so far; empty if that is not known."""
        return self.before_hash if self.end is None else self.end.hash


class Group:
    """
    Appends in order.

    Args:
        masks: Those remembered.
    """

    def __init__(self, masks: Masks) -> None:
        self.jobs: list[Job] = []
        self._masks = masks
        self._claims: dict[JournalId, _Claim] = {}
        self._keys: set[Key] = set()
        self._requests: set[Blind] = set()
        self._persons: set[JournalId] = set()
        self._kek_ids: set[str] = set()
        self._made_masks: dict[JournalId, bytes] = {}
        self._due: dict[JournalId, Any] = {}
        self._snapshots: dict[JournalId, Snapshot] = {}
        self._rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._ends: list[int] = []
        self._is_closed = False

    @property
    def made_masks(self) -> dict[JournalId, bytes]:
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
            journal_id: Head(claim.version, claim.end.hash, claim.end.recorded_at)
            for journal_id, claim in self._claims.items()
            if claim.end is not None
        }

    def takes(self, append: Append) -> bool:
        """Whether *append* goes with those here; anything does with nothing."""
        if not self.jobs:
            return True
        rows = len(append.events) + len(append.audit)
        if self._is_closed or append.keys.forgotten or self._count() + rows > GROUP_MAX:
            return False
        made = append.keys.made
        return (
            all(
                self._is_at(journal_id, version, append.hashes.get(journal_id, ""))
                for versions in (append.expected, append.facts)
                for journal_id, version in versions.items()
            )
            and self._keys.isdisjoint(key for key, _ in append.reserve)
            and self._keys.isdisjoint(append.release)
            and (append.answer is None or append.answer.request not in self._requests)
            and self._persons.isdisjoint(row.person for row in made)
            and (not self._kek_ids or self._kek_ids.issuperset(row.kek_id for row in made))
        )

    def add(self, job: Job) -> None:
        """Take an append in; the masks of its answer's journals are known by now."""
        append = job.append
        self.jobs.append(job)
        ends = {event.journal: event for event in append.events}
        for journal_id, version in (*append.facts.items(), *append.expected.items()):
            claim = self._claims.setdefault(journal_id, _Claim(version, version))
            if claim.end is None:
                claim.before_hash = append.hashes.get(journal_id, claim.before_hash)
            end = ends.get(journal_id)
            if end is not None:
                claim.version, claim.end = end.version, end
        self._write(append.events)
        self._take_keys(append)
        if append.answer is not None:
            self._answer(append.answer)
        self._due.update(append.due)
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

    def _is_at(self, journal_id: JournalId, version: int, hash_: str) -> bool:
        """Whether the appends so far leave a journal at *version* and, if told, in *hash_*."""
        claim = self._claims.get(journal_id)
        if claim is None:
            return True
        return claim.version == version and (not claim.hash or hash_ in {"", claim.hash})

    def _count(self) -> int:
        return len(self._rows["written"]) + len(self._rows["audited"])

    def _write(self, events: Iterable[StoredEvent]) -> None:
        written = self._rows["written"]
        written.extend((number, *event_row(e)) for number, e in enumerate(events, len(written) + 1))
        self._ends.append(len(written))

    def _take_keys(self, append: Append) -> None:
        reserve = dict(append.reserve)
        self._keys.update(reserve, append.release)
        for key in {*append.release} - reserve.keys():
            self._rows["released"].append((key.scope, key.value))
        for key, holder in reserve.items():
            kind = "replaced" if key in append.release else "reserved"
            place = (*name_of(holder.ref.journal), holder.ref.version, holder.fingerprint)
            self._rows[kind].append((key.scope, key.value, *place))

    def _answer(self, answer: Answer) -> None:
        self._requests.add(answer.request)
        masks = [self._mask(journal_id) for journal_id in answer.concerns]
        hidden = Fingerprint(masked(answer.request, answer.fingerprint, masks))
        text = answer_text(attrs.evolve(answer, fingerprint=hidden))
        self._rows["answered"].append((answer.request, instant(answer.at), text))

    def _mask(self, journal_id: JournalId) -> bytes:
        mask = self._masks.of(journal_id) or self._made_masks.get(journal_id)
        if mask is None:
            mask = self._made_masks[journal_id] = fresh_mask()
            self._rows["made_masks"].append((*name_of(journal_id), mask))
        return mask

    def _make_keys(self, made: Iterable[KeyRow]) -> None:
        for row in made:
            self._persons.add(row.person)
            self._kek_ids.add(row.kek_id)
            self._rows["made_keys"].append((*name_of(row.person), row.kek_id, row.wrapped))

    def _claimed(self) -> dict[str, list[tuple[Any, ...]]]:
        """What must hold of journals, in one order everywhere, so that nobody waits in a circle."""
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in ("moved", "begun")}
        rows |= {"stayed": [], "absent": [], "fence": [(kek_id,) for kek_id in self._kek_ids]}
        for journal_id, claim in self._claims.items():
            name = name_of(journal_id)
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
            "due_at": sorted((*name_of(j), instant(at)) for j, at in self._due.items() if at),
            "due_never": sorted(name_of(j) for j, at in self._due.items() if at is None),
            "snapped": [
                (*name_of(s.journal), s.version, s.fingerprint, s.body)
                for s in self._snapshots.values()
            ],
        }
