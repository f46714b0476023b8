"""
Answers and how long they are kept.
"""

from __future__ import annotations

from datetime import timedelta

from clientela.domain.ids import Blind
from clientela.services.answers import OldAnswers
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import Append
from tests.adapters.appends import answered
from tests.domain.spec import AT
from tests.services.firm import DAY, MARTA, Firm, approach


async def test_old_answers_are_forgotten_a_page_at_a_time():
    """
    What was answered more than 30 days ago by the store's clock goes; nothing of less.
    """
    firm = Firm()
    for number in range(PAGE_MAX + 1):
        answer = answered(Blind(f"r{number}"), AT - timedelta(seconds=number))
        await firm.store.append(Append(expected={}, answer=answer))
    old = OldAnswers(firm.store, firm.clock)

    firm.clock.move(AT + 30 * DAY - timedelta(seconds=PAGE_MAX))
    assert 0 == await old.purge()
    firm.clock.move(AT + 30 * DAY)
    assert PAGE_MAX == await old.purge()
    assert 0 == await old.purge()
    firm.clock.move(AT + 31 * DAY)
    assert 0 == await old.purge()
    assert 0 == await firm.store.purge_answers(AT + DAY)


async def test_answer_to_what_is_told_of_the_past_is_kept_as_long():
    """
    An import of old history is answered now: its repeat of tomorrow gets the same answer, of the
    moment it was decided at.
    """
    firm = await Firm().open(MARTA)
    firm.clock.move(AT + 400 * DAY)
    first = await firm.run(approach(MARTA), "r1", at=AT + DAY)
    firm.clock.move(AT + 401 * DAY)
    await OldAnswers(firm.store, firm.clock).purge()

    again = await firm.run(approach(MARTA), "r1", at=AT + DAY)

    assert (True, AT + DAY, AT + DAY) == (again.replayed, first.at, again.at)
