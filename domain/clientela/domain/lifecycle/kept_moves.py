"""
Kept moves: the moves of a track, packed one to a line, in the order of `Move`'s fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from clientela.domain import packed
from clientela.domain.ids import Code, JournalId
from clientela.domain.lifecycle.course import Means, Move
from clientela.domain.packed import FIELD, PART, Packed


READ_MAX = 4_096
"""Lines of which it is remembered what they say: a command reads those of its client often."""


def packed_moves(moves: Iterable[Move], home: JournalId) -> Packed:
    """
    Moves as text.

    Args:
        moves: The moves.

        home: The client's journal.
    """
    return packed.joined(line_of(move, home) for move in moves)


def moves_in(text: Packed, home: JournalId) -> tuple[Move, ...]:
    """The moves of a text."""
    return tuple(move_in(line, home) for line in packed.lines(text))


def line_of(move: Move, home: JournalId) -> str:
    """A move as a line."""
    code, reference, instant = packed.code, packed.reference, packed.instant
    because = PART.join([reference(ref, home) for ref in move.because])
    return FIELD.join(
        (
            code(move.model),
            code(move.stage),
            code(move.previous) if move.previous else "",
            instant(move.at),
            move.means._value_,
            reference(move.by, home) if move.by else "",
            because,
            packed.words(move.causes) if move.causes else "",
            str(move.cycle),
            code(move.rule),
            code(move.definition),
            instant(move.counts_from) if move.counts_from else "",
            reference(move.ref, home) if move.ref else "",
        )
    )


@lru_cache(maxsize=READ_MAX)
def move_in(line: str, home: JournalId) -> Move:
    """The move of a line."""
    model, stage, previous, at, means, by, because, causes, *more = line.split(FIELD)
    cycle, rule, definition, counts_from, ref = more
    return Move(
        model=Code(packed.unword(model)),
        stage=Code(packed.unword(stage)),
        previous=Code(packed.unword(previous)) if previous else None,
        at=packed.moment_of(at),
        means=Means(means),
        by=packed.ref_of(by, home) if by else None,
        because=tuple(packed.ref_of(part, home) for part in because.split(PART) if part),
        causes=packed.codes(causes),
        cycle=int(cycle),
        rule=Code(packed.unword(rule)),
        definition=Code(packed.unword(definition)),
        counts_from=packed.moment_of(counts_from) if counts_from else None,
        ref=packed.ref_of(ref, home) if ref else None,
    )
