"""
What becomes of requests that are refused for now, for good, or with all others.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.adapters.cli.delivery import (
    ATTEMPTS_MAX,
    LIMITED,
    LIMITED_MAX,
    Carrier,
    Said,
    delivered,
)
from clientela.adapters.cli.failure import Exit, VerbError


DONE = Said(is_new=True, client_id="petra")


def refused(reason):
    """A refusal."""
    return VerbError(Exit.FAILED, "no", reason=reason)


class Script(Carrier):
    """Answers call after call as it was told to, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def carry(self, requests):
        self.asked.append(list(requests))
        answer = self.answers.pop(0)
        if isinstance(answer, VerbError):
            raise answer
        return answer


async def test_only_what_may_pass_is_tried_again_and_in_its_order():
    """
    A conflict is sent once more, what was done or refused for good is not.
    """
    busy, taken = refused("VERSION_CONFLICT"), refused("KEY_TAKEN")
    carrier = Script([DONE, busy, taken, busy], [DONE, DONE])

    answers = await delivered(carrier, "abcd", pause_s=0)

    assert [["a", "b", "c", "d"], ["b", "d"]] == carrier.asked
    assert [DONE, DONE, taken, DONE] == answers


@pytest.mark.parametrize(
    ("reason", "is_unsure"),
    [("", True), ("STORE_UNAVAILABLE", True), ("DEADLINE_EXCEEDED", True), (LIMITED, False)],
)
async def test_what_is_found_done_after_a_lost_answer_may_have_been_done_just_now(
    reason, is_unsure
):
    """
    REC-3: nobody can tell it from what an earlier run did, so it is not said to have been there
    already; a service that refuses at the door has begun nothing.
    """
    repeat = Said(is_new=False, client_id="petra", is_repeat=True)
    there = Said(is_new=False, client_id="pavel")
    carrier = Script(refused(reason), [repeat, there, DONE])

    answers = await delivered(carrier, "abc", pause_s=0)

    assert [attrs.evolve(repeat, is_unsure=is_unsure), there, DONE] == answers


async def test_what_is_found_done_at_once_was_done_before():
    """
    REC-3: a second run of a file finds everything there.
    """
    repeat = Said(is_new=False, client_id="petra", is_repeat=True)

    assert [repeat] == await delivered(Script([repeat]), "a")


async def test_a_service_that_was_away_is_asked_again():
    """
    What became of a call that failed is not known; all of it goes again, under its own ids.
    """
    carrier = Script(refused("OVERLOADED"), [DONE, DONE])

    assert [DONE, DONE] == await delivered(carrier, "ab", pause_s=0)
    assert [["a", "b"], ["a", "b"]] == carrier.asked


@pytest.mark.parametrize("reason", ["ACCESS_DENIED", "INTERNAL", "UNIMPLEMENTED"])
async def test_what_no_row_will_get_past_ends_the_run(reason):
    """
    A caller who may not is told once, not for every row: be it of the call or of one request.
    """
    for answer in (refused(reason), [DONE, refused(reason)]):
        with pytest.raises(VerbError) as caught:
            await delivered(Script(answer), "ab")

        assert reason == caught.value.reason


async def test_who_takes_some_is_asked_for_the_rest_as_long_as_it_takes_some():
    """
    A service that takes five look-ups a second takes a flight of them in the end.
    """
    slow = refused("OVERLOADED")
    answers = [[DONE] + [slow] * left for left in range(ATTEMPTS_MAX + 2, -1, -1)]
    carrier = Script(*answers)

    assert [DONE] * len(answers) == await delivered(carrier, range(len(answers)), pause_s=0)


@pytest.mark.parametrize(
    ("reason", "tries"), [("OVERLOADED", ATTEMPTS_MAX), (LIMITED, LIMITED_MAX), ("", ATTEMPTS_MAX)]
)
async def test_patience_ends(reason, tries):
    """
    R20: whoever takes nothing is asked a bounded number of times; more often where it is well and
    flights of the same run use up what it takes.
    """
    carrier = Script(*[refused(reason)] * (tries + 1))

    with pytest.raises(VerbError) as caught:
        await delivered(carrier, "ab", pause_s=0)

    assert (reason, tries) == (caught.value.reason, len(carrier.asked))
