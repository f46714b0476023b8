"""
The command path: each request once, answered the same for ever.
"""

from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from clientela.domain.codec import canonical
from clientela.domain.errors import (
    Category,
    InvalidValueError,
    RefusedError,
    UnknownError,
)
from clientela.domain.event import Key, PendingEvent
from clientela.domain.facts import ApproachMade
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import (
    Blind,
    ClientId,
    Code,
    EmployeeId,
    Ref,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.interaction.conflict import RecordConflict
from clientela.domain.interaction.signals import RecordSignal
from clientela.domain.ownership.claim import ClientClaimed
from clientela.domain.ownership.policy import CONFLICT
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.domain.ownership.replacement import ReplaceOwner
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Personal
from clientela.services.calls import EtagMismatchError, StoredRefusalError
from clientela.services.store_errors import StoreUnavailableError
from tests.domain.register import Register
from tests.domain.spec import AT
from tests.services.counting import COUNTS, Count, Counted
from tests.services.firm import (
    CLERK,
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
    lost,
)


@pytest.fixture
async def firm():
    """A company with two sellers and two clients."""
    return await Firm().open(MARTA, IVO)


# A request and its repeat


async def test_repeat_of_a_request_gets_the_same_answer(firm):
    """
    Invariant 12: the same request again, whatever happened since, in this process or another,
    changes nothing and is answered as the first time.
    """
    first = await firm.run(approach(MARTA), "r1")
    await firm.run(approach(MARTA), "r2")
    await firm.run(PURCHASE, "r3")
    before = await firm.count()

    repeats = [await process.run(approach(MARTA), "r1") for process in (firm, firm.other())]

    assert [answer_of(first)] * 2 == [answer_of(repeat) for repeat in repeats]
    assert [True, True] == [repeat.replayed for repeat in repeats]
    assert not first.replayed
    assert before == await firm.count()


async def test_what_is_likely_a_repeat_is_looked_up_before_anything_is_decided(firm):
    """
    Who brings again what it brought is answered without a second append; what is new all the same
    is carried out.
    """
    first = await firm.run(PURCHASE, "r1")
    appended = len(firm.store.appends)

    repeat = await firm.run(PURCHASE, "r1", is_likely_repeat=True)
    assert appended == len(firm.store.appends)
    new = await firm.run(approach(MARTA), "r2", is_likely_repeat=True)

    assert (answer_of(first), True) == (answer_of(repeat), repeat.replayed)
    assert new.events


async def test_repeat_over_two_journals_gets_the_events_in_their_order(firm):
    """
    The answer names the events of all its journals as they were appended.
    """
    first = await firm.run(PURCHASE, "r1")

    repeat = await firm.other().run(PURCHASE, "r1")

    assert {JOURNAL, wallet_journal(WalletId(PETRA))} == set(repeat.versions)
    assert answer_of(first) == answer_of(repeat)


async def test_repeat_of_what_was_already_so_is_already_so(firm):
    """
    An answer without events is an answer, too: it is stored and repeated.
    """
    first = await firm.run(Register(client_id=PETRA), "r1")
    before = await firm.count()

    repeat = await firm.run(Register(client_id=PETRA), "r1")

    assert ((), ()) == (first.events, repeat.events)
    assert (True, before) == (repeat.replayed, await firm.count())


@pytest.mark.parametrize("which", ["leaves a trace", "leaves nothing"])
async def test_repeat_of_a_refused_request_gets_the_same_refusal(firm, which):
    """
    A refusal is an answer: the repeat gets the same reason, text and data to the byte, though the
    ground for it may be gone by then.
    """
    await firm.run(LAPSE)
    await firm.run(approach(MARTA))
    command = {
        "leaves a trace": approach(IVO),
        "leaves nothing": ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=CONFLICT),
    }[which]
    with pytest.raises(RefusedError) as first:
        await firm.run(command, "r1")
    before = await firm.count()
    firm.clock.move(AT + 90 * DAY)
    await firm.run(RecordConflict(client_id=PETRA, employee_id=MARTA, cause=Code("error")))
    after = await firm.count()

    for process in (firm, firm.other()):
        with pytest.raises(StoredRefusalError) as repeat:
            await process.run(command, "r1")

        assert (first.value.reason, first.value.category, str(first.value)) == (
            repeat.value.reason,
            repeat.value.category,
            str(repeat.value),
        )
        assert canonical(first.value.details()) == canonical(repeat.value.details())
    assert before < after == await firm.count()


async def test_refused_import_can_be_mended_and_sent_again(firm):
    """
    Consumers and imports never store refusals: the same request succeeds once its ground is there.
    """
    await firm.run(approach(MARTA))
    change = ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=CONFLICT)
    for _ in range(2):
        with pytest.raises(RefusedError):
            await firm.run(change, "row-7", keep_refusals=False)
    with pytest.raises(ClientTakenError):
        await firm.run(approach(IVO), "row-8", keep_refusals=False)

    await firm.run(RecordConflict(client_id=PETRA, employee_id=MARTA, cause=Code("error")))

    assert not (await firm.run(change, "row-7", keep_refusals=False)).replayed
    assert not (await firm.run(approach(IVO), "row-8", keep_refusals=False)).replayed


async def test_what_was_malformed_or_missing_is_not_stored(firm):
    """
    Only answers of rules are kept; a request that named what was not there may succeed later.
    """
    ghost = approach(MARTA, ClientId("ghost"))
    with pytest.raises(UnknownError):
        await firm.run(ghost, "r1")
    await firm.run(Register(client_id=ClientId("ghost")))

    assert 2 == len((await firm.run(ghost, "r1")).events)


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (approach(IVO), ("employee_id",)),
        (approach(MARTA, OLGA, Personal("n")), ("client_id", "note")),
        (
            RecordSignal(client_id=PETRA, signal=Code("s")),
            ("channel", "command", "employee_id", "signal"),
        ),
    ],
)
async def test_same_request_with_another_body_names_the_fields(firm, command, fields):
    """
    Invariant 12: a request id that was used for something else is refused, naming what differs,
    the method included, and nothing happens.
    """
    await firm.run(approach(MARTA), "r1")
    before = await firm.count()

    with pytest.raises(MismatchError) as refused:
        await firm.run(command, "r1")

    assert (fields, Category.INVALID) == (refused.value.fields, refused.value.category)
    assert before == await firm.count()


async def test_refused_request_with_another_body_names_the_fields_too(firm):
    """
    A stored refusal is not given to somebody who asked for something else.
    """
    await firm.run(approach(MARTA))
    with pytest.raises(ClientTakenError):
        await firm.run(approach(IVO), "r1")

    with pytest.raises(MismatchError):
        await firm.run(approach(MARTA), "r1")


async def test_requests_without_an_id_are_separate(firm):
    """
    Without a request id everything asked is asked anew.
    """
    assert [2, 1, 1] == [len((await firm.run(approach(MARTA))).events) for _ in range(3)]


# Trying without doing


async def test_validate_only_decides_and_appends_nothing(firm):
    """
    A trial gets the answer that the real thing would get, writes nothing anywhere, and does not
    use the request id up.
    """
    before = vars(firm.store).copy()
    was = {name: len(value) for name, value in before.items() if hasattr(value, "__len__")}

    trial = await firm.run(approach(MARTA), "r1", validate_only=True)
    with pytest.raises(UnknownError):
        await firm.run(approach(EmployeeId("ghost")), "r2", validate_only=True)

    assert [ApproachMade, ClientClaimed] == [r.event_class for r in trial.events]
    now = {name: len(vars(firm.store)[name]) for name in was}
    assert {**was, "wanted": now["wanted"]} == now
    real = await firm.run(approach(MARTA), "r1")
    assert [r.event for r in trial.events] == [r.event for r in real.events]
    assert not real.replayed


@pytest.mark.parametrize(
    "command",
    [approach(IVO), ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=CONFLICT)],
    ids=["leaves a trace", "leaves nothing"],
)
async def test_validate_only_refuses_without_a_trace(firm, command):
    """
    A trial that is refused is refused, and neither the approach nor the refusal is on record.
    """
    await firm.run(approach(MARTA))
    before = len(firm.store.appends)

    with pytest.raises(RefusedError):
        await firm.run(command, "r1", validate_only=True)

    assert before == len(firm.store.appends)


# Etags


async def test_etag_holds_while_its_part_stays_as_it_was(firm):
    """
    An etag is of one rule set: what others hear does not change it.
    """
    await firm.run(approach(MARTA))
    view = await firm.path.read(JOURNAL)
    etag = firm.records.etag(view.record, OWNERSHIP)

    await firm.run(RecordSignal(client_id=PETRA, signal=Code("s")))
    await firm.run(approach(MARTA), etags={"ownership": etag})

    with pytest.raises(EtagMismatchError) as refused:
        await firm.run(approach(MARTA), "r1", etags={"ownership": etag})
    current = refused.value.details()["etag"]
    assert ("ownership", Category.CONFLICT) == (refused.value.rule_set, refused.value.category)
    assert 1 == len((await firm.run(approach(MARTA), "r1", etags={"ownership": current})).events)


@pytest.mark.parametrize("name", ["staff", "nothing"])
async def test_etag_of_a_part_that_is_not_worked_on_is_refused(firm, name):
    """
    An etag that cannot be checked is not passed over.
    """
    with pytest.raises(InvalidValueError) as refused:
        await firm.run(approach(MARTA), etags={name: "x"})

    assert "etag" == refused.value.field


async def test_repeat_is_answered_before_its_etag_is_looked_at(firm):
    """
    A repeat brings the etag of its first time, which its own events have made stale.
    """
    view = await firm.path.read(JOURNAL)
    etags = {"ownership": firm.records.etag(view.record, OWNERSHIP)}
    await firm.run(approach(MARTA), "r1", etags=etags)

    assert (await firm.run(approach(MARTA), "r1", etags=etags)).replayed


# What is written beside the events


async def test_everything_asked_has_an_audit_row(firm):
    """
    Design 8: done, already so and refused are written, with who, what, on what and why, in the
    same transaction; names and notes are not.
    """
    last = (await firm.store.audit())[-1][0]
    await firm.run(approach(MARTA, note=Personal("secret")), "r1")
    await firm.run(Register(client_id=PETRA), "r2")
    for request_id, command in (
        ("r3", approach(IVO)),
        ("", ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=CONFLICT)),
    ):
        with pytest.raises(RefusedError):
            await firm.run(command, request_id)

    rows = [row for _, row in await firm.store.audit(last)]

    assert [
        ("Approach", "done", "", True),
        ("Register", "already", "", True),
        ("Approach", "refused", "CLIENT_TAKEN", True),
        ("ReplaceOwner", "refused", "NO_GROUND", False),
    ] == [(row.method, row.decision, row.reason, bool(row.request)) for row in rows]
    assert {(str(CLERK), "client/petra", AT)} == {(r.actor, r.target, r.at) for r in rows}
    assert "secret" not in repr(rows)


async def test_request_ids_are_kept_as_keyed_hashes_only(firm):
    """
    Design 6: neither envelope, answer nor audit hold the request id itself.
    """
    await firm.run(approach(MARTA), "order-4711")

    append = firm.store.appends[-1]

    assert "order-4711" not in repr(append)
    assert append.answer is not None
    bodies = [json.loads(row.body)["envelope"] for row in append.events]
    assert {append.answer.request} == {body["request"] for body in bodies}


async def test_forgotten_person_is_dropped_from_memory_once_it_is_committed():
    """
    Design 7: an erasure takes effect in this process when it has landed, and not before; also when
    the caller has gone away meanwhile.
    """
    forgetting = attrs.evolve(
        COUNTS,
        decide=lambda _r, command, _c: (
            PendingEvent(Counted(count=0), rule="X", forget=(client_journal(command.client_id),)),
        ),
    )
    firm = await Firm(more=(forgetting,)).open(MARTA)

    firm.store.before.append(lost)
    with pytest.raises(StoreUnavailableError):
        await firm.run(Count())
    assert [] == firm.sessions.forgotten

    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await go_on.wait()

    firm.store.before.append(wait)
    call = asyncio.create_task(firm.run(Count()))
    await begun.wait()
    call.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert [JOURNAL] == firm.sessions.forgotten
    assert (JOURNAL,) == firm.store.appends[-1].keys.forgotten


async def test_keys_go_with_the_append_that_takes_them(firm):
    """
    Keys are reserved and given back in the transaction of their event.
    """
    await firm.run(PURCHASE)
    key, holder = firm.store.appends[-1].reserve[0]

    assert (Code("purchase"), Ref(JOURNAL, 2)) == (key.scope, holder.ref)
    assert holder == await firm.store.holder(key)
    assert None is await firm.store.holder(Key(Code("purchase"), Blind("other")))
