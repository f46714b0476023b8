"""
Kept facts: the latest ones, one by one and packed, for figures and explanations to look back at.

    group | moment | version | days that its calendar day lies off | amount, causes, or whether

A group is a letter for the kind, and its currency or code.
"""

from __future__ import annotations

import bisect

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from datetime import timedelta
from functools import lru_cache

from clientela.domain import packed
from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.ids import Code, JournalId
from clientela.domain.money import Money
from clientela.domain.packed import FIELD, NOTHING, Packed


MARKS_MAX = 32
"""Facts of one group that are remembered one by one, the latest; older ones are only counted."""

READ_MAX = 4_096
"""Lines of which it is remembered what they say: a command reads those of its client often."""

_LETTERS = {
    FactKind.PURCHASE: "p",
    FactKind.RETURN: "r",
    FactKind.INTERACTION: "i",
    FactKind.SIGNAL: "s",
    FactKind.CONFLICT: "c",
    FactKind.RESOLUTION: "w",
    FactKind.LEFT: "l",
    FactKind.STAGE: "h",
    FactKind.BEGIN: "b",
}
_OUTBOUND = "o"
_KINDS = {**{letter: kind for kind, letter in _LETTERS.items()}, _OUTBOUND: FactKind.INTERACTION}
_INBOUND = frozenset("pi")
_REMEMBERED = frozenset("prio")
"""Kinds that figures only count; of the others they remember the facts themselves."""


class Memory:
    """
    The facts that are known one by one, in the order in which they happened.

    Args:
        text: Those that are packed; unpacked each time somebody looks.

        home: The journal they stand in; None while there are none.
    """

    def __init__(self, text: Packed = NOTHING, home: JournalId | None = None) -> None:
        self._text = text
        self._home = home
        self._later: list[Fact] = []

    def add(self, fact: Fact) -> None:
        """Remember one more, which happened after all others."""
        self._later.append(fact)

    def __iter__(self) -> Iterator[Fact]:
        if self._home is not None:
            yield from facts_in(self._text, self._home)
        yield from self._later


def packed_facts(facts: Iterable[Fact]) -> Packed:
    """Facts as text."""
    return packed.joined(map(line_of, facts))


def facts_in(text: Packed, home: JournalId) -> tuple[Fact, ...]:
    """
    The facts of a text.

    Args:
        text: The text.

        home: The journal they stand in.
    """
    return tuple(fact_in(line, home) for line in packed.lines(text))


def last_of(text: Packed, versions: Container[int], home: JournalId) -> Fact | None:
    """The last fact of a text that is the event of one of *versions*; None if there is none."""
    for line in packed.backwards(text):
        if int(line.split(FIELD, 3)[2]) in versions:
            return fact_in(line, home)
    return None


def latest(text: Packed) -> Packed:
    """Of facts in order, what is remembered for good: the last `MARKS_MAX` of each group."""
    seen: Counter[str] = Counter()
    found: list[str] = []
    for line in packed.backwards(text):
        group = line[: line.index(FIELD)]
        if group[0] in _REMEMBERED and seen[group] < MARKS_MAX:
            seen[group] += 1
            found.append(line)
    return packed.joined(reversed(found))


def with_fact(text: Packed, fact: Fact, home: JournalId) -> Packed:
    """*text*, facts in order, with one more in its place."""
    known = packed.lines(text)
    place = bisect.bisect(known, fact.moment, key=lambda line: fact_in(line, home).moment)
    return packed.joined((*known[:place], line_of(fact), *known[place:]))


def line_of(fact: Fact) -> str:
    """A fact as a line."""
    kind = fact.kind
    shift = (fact.day - fact.at.date()).days
    name = "" if fact.code is None else packed.word(fact.code)
    rest: object = ""
    if fact.amount is not None:
        name, rest = fact.amount.currency, fact.amount.minor
    elif kind is FactKind.STAGE:
        assert fact.stage is not None
        rest = packed.words((fact.stage, *fact.causes))
    elif fact.causes:
        rest = packed.words(fact.causes)
    elif not fact.holds:
        rest = 0
    letter = _LETTERS[kind]
    if kind is FactKind.INTERACTION and not fact.inbound:
        letter = _OUTBOUND
    at, version = packed.instant(fact.at), fact.ref.version
    return f"{letter}{name}{FIELD}{at}{FIELD}{version}{FIELD}{shift or ''}{FIELD}{rest}"


@lru_cache(maxsize=READ_MAX)
def fact_in(line: str, home: JournalId) -> Fact:
    """The fact of a line."""
    group, instant, version, shift, rest = line.split(FIELD)
    letter = group[0]
    kind = _KINDS[letter]
    name = packed.unword(group[1:])
    at = packed.moment_of(instant)
    has_amount = kind in {FactKind.PURCHASE, FactKind.RETURN}
    named = packed.codes(rest) if kind in {FactKind.LEFT, FactKind.STAGE} else ()
    stages = 1 if kind is FactKind.STAGE else 0
    return Fact(
        kind=kind,
        at=at,
        ref=packed.ref_of(version, home),
        day=at.date() + timedelta(int(shift)) if shift else at.date(),
        code=Code(name) if name and not has_amount else None,
        inbound=letter in _INBOUND,
        amount=Money(int(rest), name) if has_amount else None,
        holds=rest != "0" or has_amount,
        causes=named[stages:],
        stage=next(iter(named[:stages]), None),
    )
