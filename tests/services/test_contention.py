"""
Many at once on one record, and what a decision turns out to need.
"""

from __future__ import annotations

import asyncio

import attrs
import pytest

from clientela.domain.codec import canonical
from clientela.domain.errors import (
    Category,
    KeyTakenError,
)
from clientela.domain.facts import ApproachMade
from clientela.domain.ids import (
    DEFINITIONS_JOURNAL,
    ClientId,
    Code,
    EmployeeId,
    WalletId,
    client_journal,
    employee_journal,
)
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.ownership.claim import ApproachRefused, ClientClaimed
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.refusals import ClientTakenError, SellerLeftError
from clientela.domain.personal import Personal
from clientela.domain.purchase.purchases import Purchases
from clientela.domain.record import HistoryNeededError, NeededError
from clientela.services.calls import ContendedError
from clientela.services.command_path import ATTEMPTS_MAX
from clientela.services.decisions import NEEDS_MAX
from clientela.services.store_errors import VersionConflictError
from tests.domain.purchase.till import TEA, bought, line
from tests.domain.register import Register
from tests.domain.spec import AT
from tests.domain.test_company import LABELS, Label
from tests.services.counting import COUNTS, Count, Counted
from tests.services.firm import (
    DAY,
    IVO,
    JOURNAL,
    LAPSE,
    MARTA,
    OLGA,
    PETRA,
    PURCHASE,
    Firm,
    answer_of,
    approach,
    nothing,
)


@pytest.fixture
async def firm():
    """A company with two sellers and two clients."""
    return await Firm().open(MARTA, IVO)


# Many at once


@pytest.mark.parametrize("processes", [1, 3])
async def test_of_fifty_parallel_approaches_one_wins(processes):
    """
    OWN-8: fifty sellers approach one unowned client at once, through one process or several: one
    owner, forty-nine refusals, one beginning of ownership, and folding again gives the same owner.
    The winner's repeat gets the same answer.
    """
    sellers = [EmployeeId(f"seller-{n}") for n in range(50)]
    firm = await Firm().open(*sellers)
    firms = [firm, *(firm.other() for _ in range(processes - 1))]

    answers = await asyncio.gather(
        *(firms[n % processes].run(approach(s), f"r-{s}") for n, s in enumerate(sellers)),
        return_exceptions=True,
    )

    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    refused = [answer for answer in answers if isinstance(answer, ClientTakenError)]
    assert (1, 49) == (len(won), len(refused))
    winner = won[0].record.of(Ownership).owner_id
    assert {(winner, "CLIENT_TAKEN", True, None)} == {
        (each.owner_id, each.reason, each.may_request, each.until) for each in refused
    }
    found = await firm.events()
    assert (1, 1, 49) == tuple(
        found.count(cls) for cls in (ApproachMade, ClientClaimed, ApproachRefused)
    )
    assert winner == await firm.owner()
    again = await firms[-1].run(approach(winner), f"r-{winner}")
    assert answer_of(won[0]) == answer_of(again)


async def test_one_request_sent_many_times_at_once_is_carried_out_once(firm):
    """
    A caller that hedges through several processes gets one purchase and equal answers.
    """
    firms = [firm, firm.other(), firm.other()]

    answers = await asyncio.gather(*(firms[n % 3].run(PURCHASE, "r1") for n in range(9)))

    assert 1 == len({canonical([str(r.event_id) for r in a.events]) for a in answers})
    assert [False] + [True] * 8 == sorted(a.replayed for a in answers)
    assert {2} == {a.versions[JOURNAL] for a in answers}


async def test_commands_on_several_journals_do_not_wait_for_each_other_for_ever(firm):
    """
    Journals are claimed in one order: purchases of two clients on each other's wallets all land.
    """
    purchases = [
        attrs.evolve(bought(n, line("1", TEA, 1, 100), client=one), wallet_id=WalletId(two))
        for n, (one, two) in enumerate([(PETRA, OLGA), (OLGA, PETRA)] * 10)
    ]

    async with asyncio.timeout(60):
        await asyncio.gather(*(firm.run(command) for command in purchases))

    sizes = [
        len((await firm.path.read(client_journal(c))).record.of(Purchases).open)
        for c in (PETRA, OLGA)
    ]
    assert [10, 10] == sizes


# Somebody was faster


async def test_conflict_is_retried_and_not_told_to_the_caller(firm):
    """
    Somebody else appends between decision and commit: the command is decided again on what is there
    now.
    """
    other = firm.other()
    firm.store.before.append(lambda: other.run(approach(IVO)))

    with pytest.raises(ClientTakenError) as refused:
        await firm.run(approach(MARTA), "r1")

    assert IVO == refused.value.owner_id == await firm.owner()


async def test_what_a_decision_rested_on_must_hold_when_it_lands(firm):
    """
    OWN-3: a seller leaves, in another process, between the decision on their approach and its
    commit: it is decided again, and refused. Definitions applied in between count as well.
    """
    other = firm.other()
    firm.store.before.append(lambda: other.run(RecordLeaving(employee_id=MARTA, left_at=AT)))

    with pytest.raises(SellerLeftError):
        await firm.run(approach(MARTA))

    tries = len(firm.store.appends)
    firm.store.before.append(lambda: other.run(LAPSE))
    done = await firm.run(approach(IVO))
    again = firm.store.appends[tries:]
    assert [0, None, 1] == [append.facts.get(DEFINITIONS_JOURNAL) for append in again]
    due = done.at + 30 * DAY
    assert due == await firm.store.due_at(JOURNAL)


async def test_conflicts_without_end_are_told_as_contention(firm):
    """
    A record that changes every time is given up on, with an error that says to try again, and
    nothing is appended; one conflict less and the command lands.
    """

    async def conflict() -> None:
        raise VersionConflictError(JOURNAL)

    before = await firm.count()
    firm.store.before.extend([conflict] * ATTEMPTS_MAX)
    with pytest.raises(ContendedError) as refused:
        await firm.run(approach(MARTA), "r1")
    assert ("VERSION_CONFLICT", Category.CONFLICT) == (refused.value.reason, refused.value.category)
    assert before == await firm.count()

    firm.store.before.extend([conflict] * (ATTEMPTS_MAX - 1))
    assert 2 == len((await firm.run(approach(MARTA), "r1")).events)


async def test_key_that_was_taken_meanwhile_is_taken(firm):
    """
    Two clients are said to have made one purchase at the same moment: one did.
    """
    firm.store.before.append(lambda: firm.other().run(attrs.evolve(PURCHASE, client_id=OLGA)))

    with pytest.raises(KeyTakenError):
        await firm.run(PURCHASE)

    assert not await firm.store.key_row(JOURNAL)
    assert [1, 2] == [len(await firm.events(client_journal(c))) for c in (PETRA, OLGA)]


async def test_key_that_no_rule_asked_about_is_found_to_be_taken():
    """
    A rule reserves a key without having named it: the store finds it held, the rules are asked
    again with the holder in sight, and refuse.
    """
    firm = await Firm(more=(LABELS,)).open()
    await firm.run(Label(client_id=PETRA, label=Code("a")))

    with pytest.raises(KeyTakenError):
        await firm.run(Label(client_id=OLGA, label=Code("a")))

    assert 3 == len(await firm.events()) + len(await firm.events(client_journal(OLGA)))


@pytest.mark.parametrize(
    "command", [approach(MARTA), Register(client_id=PETRA)], ids=["done", "already so"]
)
async def test_request_that_was_answered_meanwhile_is_answered_so(firm, command):
    """
    The same request wins in another process between decision and commit: its answer is given.
    """
    other = firm.other()
    theirs = []

    async def hedge() -> None:
        theirs.append(await other.run(command, "r1"))

    firm.store.before.append(hedge)
    mine = await firm.run(command, "r1")

    assert mine.replayed
    assert answer_of(theirs[0]) == answer_of(mine)


async def test_person_who_got_a_key_meanwhile_keeps_it(firm):
    """
    Two commands on different journals make the key of one person: the second conflicts and uses
    the first one's.
    """
    about = client_journal(ClientId("eva"))
    one, two = (approach(s, c, Personal("n", about)) for s, c in ((MARTA, PETRA), (IVO, OLGA)))
    firm.store.before.append(lambda: firm.other().run(two))

    await firm.run(one)

    assert [[about], [about], []] == [
        [row.person for row in append.keys.made] for append in firm.store.appends[-3:]
    ]


# What a decision turns out to need


async def test_staff_and_persons_are_loaded_when_the_rules_ask_for_them(firm):
    """
    Nobody says beforehand that an approach needs the seller's journal and the key of a person named
    in a note: the rules ask, it is loaded, and they are asked again.
    """
    about = client_journal(ClientId("eva"))
    fresh = firm.other()
    del firm.store.wanted[:]

    await fresh.run(approach(MARTA, note=Personal("Eva's friend", about)))

    first, second, third = firm.store.wanted
    assert employee_journal(MARTA) not in first.journals
    assert (employee_journal(MARTA) in second.journals, about in second.persons) == (True, False)
    assert about in third.persons
    assert [about] == [row.person for row in firm.store.appends[-1].keys.made]


async def test_history_is_loaded_when_a_rule_asks_for_it_and_ends_where_the_record_does():
    """
    A rule that needs the whole journal gets it as of the version it decides on, though others have
    appended meanwhile; the conflict is then retried with the rest.
    """
    firm = await Firm(more=(COUNTS,)).open(MARTA)
    other = firm.other((COUNTS,))
    firm.store.loading.extend([nothing, lambda: other.run(approach(MARTA))])

    trial = await firm.run(Count(), validate_only=True)
    assert Counted(count=1) == trial.events[0].event

    firm.store.loading.extend([nothing, lambda: other.run(approach(MARTA))])

    outcome = await firm.run(Count())

    assert Counted(count=4) == outcome.events[0].event
    assert 5 == outcome.versions[JOURNAL]


async def test_need_that_nobody_can_meet_is_raised():
    """
    A rule that asks for something the command path does not know has a mistake.
    """

    class OddError(NeededError):
        """Something odd is needed."""

    def odd(_record, _command, _context):
        raise OddError

    firm = await Firm(more=(attrs.evolve(COUNTS, decide=odd),)).open()

    with pytest.raises(OddError):
        await firm.run(Count())


async def test_rules_that_are_never_content_are_given_up_on():
    """
    What one decision may ask for is bounded.
    """

    def greedy(_record, _command, _context):
        raise HistoryNeededError(JOURNAL)

    firm = await Firm(more=(attrs.evolve(COUNTS, decide=greedy),)).open()
    del firm.store.wanted[:]

    with pytest.raises(ContendedError):
        await firm.run(Count())

    assert NEEDS_MAX == len(firm.store.wanted)
