"""
Tracks: a course that late facts can be put into.

    base ──► tail and moves ──► now        the tail's facts and the moves lie after the base
    earlier                                facts up to the base that figures may look back at

Facts and moves are packed: a command looks at the last of them, only a late fact at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, takewhile

import attrs

from clientela.domain import packed
from clientela.domain.behaviour import kept
from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.behaviour.figures import behaviour_since
from clientela.domain.behaviour.kept import Memory
from clientela.domain.behaviour.mark import Moment
from clientela.domain.ids import Code, JournalId, Ref
from clientela.domain.lifecycle.course import Course, CourseDraft, Move, Stay
from clientela.domain.lifecycle.kept_moves import move_in, moves_in, packed_moves
from clientela.domain.packed import NOTHING, Packed
from clientela.domain.variant import variant


_BEGIN = Course()


@attrs.frozen(kw_only=True)
class Track:
    """
    A course that late facts can be put into.

    Attributes:
        home: The client's journal, which facts and moves stand in; None before the first.

        base: The course before the tail.

        earlier: Facts up to the base that are remembered, in the order in which they happened.

        latest: The tail: the facts after the base, in the same order.

        entered: The moves after the base, in the same order.

        now: The course after all of them.
    """

    home: JournalId | None = None
    base: Course = _BEGIN
    earlier: Packed = NOTHING
    latest: Packed = NOTHING
    entered: Packed = NOTHING
    now: Course = _BEGIN

    @property
    def tail(self) -> tuple[Fact, ...]:
        """The latest facts, in the order in which they happened."""
        return kept.facts_in(self.latest, self.home) if self.home else ()

    @property
    def moves(self) -> tuple[Move, ...]:
        """The moves since the base, in the same order."""
        return moves_in(self.entered, self.home) if self.home else ()

    @property
    def before(self) -> Memory:
        """The facts up to the base that are remembered."""
        return Memory(self.earlier, self.home)

    @property
    def known(self) -> Memory:
        """All facts that are remembered, in the order in which they happened."""
        return Memory(Packed(self.earlier + self.latest), self.home)

    def latest_facts(self) -> Iterator[Fact]:
        """The facts of the tail, the last one first."""
        if self.home:
            for line in packed.backwards(self.latest):
                yield kept.fact_in(line, self.home)

    def latest_moves(self) -> Iterator[Move]:
        """The moves since the base, the last one first."""
        if self.home:
            for line in packed.backwards(self.entered):
                yield move_in(line, self.home)

    def with_late_fact(self, fact: Fact) -> Track:
        """This track with a fact that does not come after all others, in its place."""
        if self.is_beyond(fact):
            return self.deeper(fact)
        first, *rest = sorted((*self.tail, fact), key=lambda known: known.moment)
        counted = (known for known in rest if known.kind is not FactKind.BEGIN)
        return attrs.evolve(self, latest=kept.packed_facts((first, *counted))).refolded()

    def deeper(self, fact: Fact) -> Track:
        """This track with a fact before its base."""
        assert self.home is not None
        earlier = kept.latest(kept.with_fact(self.earlier, fact, self.home))
        base = self.base.absorb(fact, self.before)
        return attrs.evolve(self, base=base, earlier=earlier).refolded()

    def with_late_move(self, move: Move) -> Track:
        """This track with a move that does not come after all others, in its place."""
        assert self.home is not None
        moves = sorted((*self.moves, move), key=lambda known: known.moment)
        return attrs.evolve(self, entered=packed_moves(moves, self.home)).refolded()

    def corrected(self, model: Code, since: datetime, moves: Iterable[Move]) -> Track:
        """
        This track after the moves of *model* from *since* on were replaced.

        Args:
            model: Which.

            since: Moves at this moment and later are dropped.

            moves: What comes in their place, in order.
        """
        assert self.home is not None
        others = [m for m in self.moves if m.model != model or m.at < since]
        end = self.base.end
        old = [m for m in moves if end is not None and m.moment <= end]
        new = [m for m in moves if end is None or m.moment > end]
        merged = sorted((*others, *new), key=lambda known: known.moment)
        base = self.base
        if end is not None and since <= end[0]:
            base = _rebased(base, self.before, model, since, old)
        return attrs.evolve(self, base=base, entered=packed_moves(merged, self.home)).refolded()

    def is_beyond(self, fact: Fact) -> bool:
        """Whether *fact* is older than everything kept one by one."""
        return self.base.end is not None and fact.moment <= self.base.end

    def moves_at(self, moment: Moment) -> Iterator[Move]:
        """The kept moves of one moment, the last one first."""
        if all(stay.move.at < moment[0] for stay in self.now.stays.values()):
            return
        for move in self.latest_moves():
            if move.at < moment[0]:
                return
            if move.moment == moment:
                yield move

    def fact(self, ref: Ref | None) -> Fact | None:
        """The kept fact of this event, if it is kept."""
        if ref is None or self.home is None or ref.journal != self.home:
            return None
        return kept.last_of(self.latest, (ref.version,), self.home)

    def refolded(self) -> Track:
        """This track with its present course folded anew from the base."""
        return attrs.evolve(self, now=folded(self.base, self.before, self.tail, self.moves))

    def cut(self, end: Moment, facts: Sequence[Fact], moves: Sequence[Move]) -> Track:
        """
        This track with what happened up to a moment folded into the base.

        Args:
            end: The moment.

            facts: The tail.

            moves: All since the base.
        """
        assert self.home is not None
        done = tuple(takewhile(lambda fact: fact.moment <= end, facts))
        made = tuple(move for move in moves if move.moment <= end)
        lines = packed.lines(self.latest)
        earlier = packed.joined((*packed.lines(self.earlier), *lines[: len(done)]))
        return variant(
            self,
            base=folded(self.base, self.before, done, made),
            earlier=kept.latest(earlier),
            latest=packed.joined(lines[len(done) :]),
            entered=packed.joined(packed.lines(self.entered)[len(made) :]),
        )


def folded(base: Course, before: Memory, facts: Iterable[Fact], moves: Iterable[Move]) -> Course:
    """
    *base* after *facts* and *moves*.

    Args:
        base: The course before them.

        before: The facts before them that are remembered; those folded are added to it.

        facts: In the order in which they happened.

        moves: Likewise.
    """
    known = {fact.ref: fact for fact in facts}
    course = CourseDraft(base)
    steps: chain[Fact | Move] = chain(known.values(), moves)
    for step in sorted(steps, key=lambda one: one.moment):
        if isinstance(step, Fact):
            course.absorb(step, before)
            before.add(step)
        else:
            course.enter(step, known.get(step.by) if step.by else None, before)
    return course.sealed()


def _rebased(
    base: Course, before: Memory, model: Code, since: datetime, moves: list[Move]
) -> Course:
    """*base* with the stay in *model* that *moves* lead to, its figures from what is remembered."""
    stays = {known: stay for known, stay in base.stays.items() if known != model}
    if model in base.stays and base.stays[model].move.at < since:
        stays[model] = base.stays[model]
    if moves:
        last = moves[-1]
        stays[model] = Stay(last, behaviour_since(base.life, before, last.moment))
    return attrs.evolve(base, stays=stays)
