"""
What a subscriber does with the versions of one journal: apply the next, drop the old, fetch a gap.

Pure, and the same in every language: `examples/vectors/subscriber.json` says what it must come to.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs


@attrs.frozen
class Gap:
    """
    Versions that did not come and have to be fetched.

    Attributes:
        after: The last version there is before them, 0 or more.

        upto: The last of them.
    """

    after: int
    upto: int


@attrs.frozen
class Course:
    """
    What is to be done with messages of one journal, whatever order they came in.

    Attributes:
        old: Versions that are known, or came twice: drop them.

        fresh: Versions to be applied, ascending; between them there may be gaps.

        gaps: What has to be fetched so that *fresh* follows on what is known, ascending.
    """

    old: tuple[int, ...]
    fresh: tuple[int, ...]
    gaps: tuple[Gap, ...]


def course(known: int, versions: Iterable[int], announced: Iterable[int] = ()) -> Course:
    """
    What is to be done with messages of one journal.

    Args:
        known: The last version whose effect is stored; 0 for none.

        versions: Those that came, in any order, twice or not.

        announced: Those that came without their contents.
    """
    old: list[int] = []
    fresh: set[int] = set()
    for version in versions:
        if version <= known or version in fresh:
            old.append(version)
        else:
            fresh.add(version)
    told = {version for version in announced if version > known}
    return Course(tuple(old), tuple(sorted(fresh)), _gaps(known, fresh, told))


def _gaps(known: int, fresh: set[int], told: set[int]) -> tuple[Gap, ...]:
    """What lacks up to the last version that is known to be there."""
    gaps: list[Gap] = []
    end = known
    for version in sorted(fresh):
        if version > end + 1:
            gaps.append(Gap(end, version - 1))
        end = version
    if told and max(told) > end:
        gaps.append(Gap(end, max(told)))
    return tuple(gaps)


def contiguous(known: int, versions: Iterable[int]) -> int:
    """How far versions follow on *known* without a gap."""
    had = set(versions)
    while known + 1 in had:
        known += 1
    return known
