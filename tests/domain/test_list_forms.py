"""
List forms: short, and read back by the very same classes.
"""

from __future__ import annotations

import json

from datetime import UTC, datetime

import attrs
import pytest

from clientela.domain.codec import Codec
from clientela.domain.draft import State, state
from clientela.domain.ids import Code, JournalKind
from clientela.domain.personal import Personal, PersonalText
from clientela.domain.stored import UnsealedError


AT = datetime(2026, 3, 1, 12, 30, 0, 7, tzinfo=UTC)


@attrs.frozen
class Visit:
    """A visit, made by position."""

    at: datetime
    pieces: int = 0
    codes: tuple[Code, ...] = ()


@state(JournalKind.CLIENT)
class Visits(State):
    """Visits, made by name."""

    first: Visit | None = None
    count: int = 0
    by_day: dict[datetime, Visit] = attrs.field(factory=dict[datetime, Visit])
    note: PersonalText | None = None


VISITS = Visits(first=Visit(AT, codes=(Code("a"),)), by_day={AT: Visit(AT)})


def test_values_at_the_end_that_are_defaults_are_left_out():
    """
    A state is the list of its fields in their order; moments are microseconds since 1970.
    """
    text = Codec(()).state_text(VISITS)

    us = 1772368200000007
    assert [[us, 0, ["a"]], 0, {str(us): [us]}] == json.loads(text)
    assert "\n" not in text


@pytest.mark.parametrize("made", [VISITS, Visits(), Visits(count=3)])
def test_state_comes_back_as_it_was(made):
    """
    What is read equals what was written, and is sealed.
    """
    codec = Codec(())

    read = codec.state(codec.state_text(made), Visits)

    assert made == read
    assert read.is_sealed


def test_open_personal_value_is_refused():
    """
    No personal value is kept in the open, in a snapshot either.
    """
    with pytest.raises(UnsealedError):
        Codec(()).state_text(Visits(note=Personal("called Petra back")))
