"""
Drafts of tracks: facts and moves added in place, and the tail cut when it grows too long.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from clientela.domain import packed
from clientela.domain.behaviour import kept
from clientela.domain.behaviour.fact import Fact
from clientela.domain.behaviour.kept import Memory
from clientela.domain.behaviour.mark import Moment
from clientela.domain.ids import Code, JournalId, Ref
from clientela.domain.lifecycle.course import CourseDraft, Move
from clientela.domain.lifecycle.kept_moves import packed_moves
from clientela.domain.lifecycle.track import Track
from clientela.domain.packed import Packed
from clientela.domain.variant import variant


TAIL_MAX = 64
"""Facts kept one by one; a fact older than all of them is judged on the whole journal."""

TAIL_KEPT = TAIL_MAX // 2
"""Facts kept when the tail is cut."""

MOVES_MAX = 256
"""Moves kept one by one, before the tail is cut on their account."""


class TrackDraft:
    """
    A track while facts and moves are added to it.

    Args:
        track: Where it starts; it stays as it is.
    """

    _course: CourseDraft
    _track: Track
    _home: JournalId | None
    _known: Memory
    _tail: tuple[Fact, ...] | None
    _entered: tuple[Move, ...] | None
    _facts: list[Fact]
    _moves: list[Move]
    _facts_before: int
    _moves_before: int

    def __init__(self, track: Track) -> None:
        self._begin(track)

    def _begin(self, track: Track) -> None:
        self._course = CourseDraft(track.now)
        self._track = track
        self._home = track.home
        self._known = track.known
        # Of the track, unpacked; None until somebody needs them.
        self._tail = self._entered = None
        self._facts, self._moves = [], []
        self._facts_before = packed.count(track.latest)
        self._moves_before = packed.count(track.entered)

    def last_of(self, refs: Iterable[Ref]) -> Fact | None:
        """The last kept fact that is one of these events."""
        home = self._home
        if home is None:
            return None
        versions = {ref.version for ref in refs if ref.journal is home or ref.journal == home}
        for fact in reversed(self._facts):
            if fact.ref.version in versions:
                return fact
        return kept.last_of(self._track.latest, versions, home) if versions else None

    def add(self, fact: Fact) -> None:
        """Add a fact in its place."""
        end = self._course.end
        if end is not None and fact.moment <= end:
            self._begin(self.sealed().with_late_fact(fact))
            return
        if self._home is None:
            self._home = fact.ref.journal
        self._course.absorb(fact, self._known)
        self._known.add(fact)
        self._facts.append(fact)
        if self._facts_before + len(self._facts) > TAIL_MAX:
            self._cut(self._all_facts()[-TAIL_KEPT - 1].moment)

    def enter(self, move: Move, by: Fact | None) -> None:
        """
        Add a move in its place.

        Args:
            move: The move.

            by: The fact that did it, if one did and it is kept.
        """
        end = self._course.end
        if end is not None and move.moment < end:
            self._begin(self.sealed().with_late_move(move))
            return
        self._course.enter(move, by, self._known)
        self._moves.append(move)
        if self._moves_before + len(self._moves) > MOVES_MAX:
            begin = self._all_moves()[-TAIL_KEPT].moment
            if begin != move.moment:
                self._cut(begin)

    def correct(self, model: Code, since: datetime, moves: Iterable[Move]) -> None:
        """Replace the moves of *model* from *since* on; as `Track.corrected`."""
        self._begin(self.sealed().corrected(model, since, moves))

    def sealed(self) -> Track:
        """The track that it has come to."""
        return variant(self._packed(), now=self._course.sealed())

    def _all_facts(self) -> tuple[Fact, ...]:
        return (*(self._track.tail if self._tail is None else self._tail), *self._facts)

    def _all_moves(self) -> tuple[Move, ...]:
        return (*(self._track.moves if self._entered is None else self._entered), *self._moves)

    def _packed(self) -> Track:
        """The track with all lines, and the course that it had."""
        track, home = self._track, self._home
        if home is None:
            return track
        return variant(
            track,
            home=home,
            latest=Packed(track.latest + kept.packed_facts(self._facts)),
            entered=Packed(track.entered + packed_moves(self._moves, home)),
        )

    def _cut(self, end: Moment) -> None:
        """Fold what happened up to a moment into the base."""
        facts, moves = self._all_facts(), self._all_moves()
        track = self._packed().cut(end, facts, moves)
        self._track, self._known = track, track.known
        self._facts_before = packed.count(track.latest)
        self._moves_before = packed.count(track.entered)
        self._tail = facts[len(facts) - self._facts_before :]
        self._entered = moves[len(moves) - self._moves_before :]
        self._facts, self._moves = [], []
