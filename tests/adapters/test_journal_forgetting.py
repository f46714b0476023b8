"""
The contract of every journal store about persons who are forgotten: no keyed hash of them stays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest

from clientela.domain.event import Key
from clientela.domain.fingerprint import NOTHING
from clientela.domain.ids import Blind, Code, EmployeeId, JournalId, employee_journal
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyChanges
from clientela.services.ports import JournalStore
from clientela.services.rows import Answer, Append, Wanted
from clientela.services.store_errors import VersionConflictError
from tests.adapters.appends import (
    CARD,
    FINGERPRINT,
    IVO,
    MARTA,
    PHONE,
    RECEIPT,
    REFUSAL,
    WALLET,
    answered,
    held_by,
    writing,
)
from tests.adapters.journal_stores import JOURNAL_STORES


OLD_PHONE = Key(Code("phone"), Blind("f6" * 32))
"""As another release made it of the same number."""

MAIL = Key(Code("email"), Blind("a7" * 32))
SPEND = Key(Code("spend"), Blind("b8" * 32))
NAMESAKE = employee_journal(EmployeeId("marta"))
"""An employee whose id is that of a client."""

ANOTHERS = answered(Blind("0a" * 32))


@pytest.fixture(params=JOURNAL_STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[JournalStore]:
    """A store in which Marta and Ivo hold keys."""
    opened = await JOURNAL_STORES[request.param](tmp_path)
    reserve = (
        (PHONE, held_by(MARTA)),
        (OLD_PHONE, held_by(MARTA)),
        (RECEIPT, held_by(MARTA)),
        (CARD, held_by(WALLET)),
        (SPEND, held_by(WALLET)),
        (MAIL, held_by(IVO)),
    )
    await opened.append(
        attrs.evolve(writing({MARTA: None, WALLET: None, IVO: None}), reserve=reserve)
    )
    yield opened
    await opened.close()


def forgetting(person: JournalId, *scopes: str) -> Append:
    """An append that forgets *person*."""
    changes = KeyChanges(forgotten=(person,), scopes=tuple(map(Code, scopes)))
    return Append(expected={}, keys=changes)


async def holders(store: JournalStore) -> dict[Key, Holder | None]:
    """Who holds each of the keys."""
    return {key: await store.holder(key) for key in (PHONE, OLD_PHONE, RECEIPT, CARD, SPEND, MAIL)}


async def answer_to(store: JournalStore, request: Blind) -> Answer | None:
    """What a request was answered."""
    return (await store.load(Wanted(journals=(), request=request))).answer


async def test_forgotten_person_gives_back_every_key_of_the_scopes(store: JournalStore):
    """S8: keys of the scopes go whatever their value is by now; business identities stay."""
    await store.append(forgetting(MARTA, "phone", "card", "email"))

    assert {
        PHONE: None,
        OLD_PHONE: None,
        RECEIPT: Holder(held_by(MARTA).ref, NOTHING),
        CARD: None,
        SPEND: Holder(held_by(WALLET).ref, NOTHING),
        MAIL: held_by(IVO),
    } == await holders(store)


async def test_key_given_back_by_forgetting_may_be_taken(store: JournalStore):
    """S8: a forgotten client's phone number or card may be another client's from then on."""
    await store.append(forgetting(MARTA, "phone", "card"))

    taken = ((PHONE, held_by(IVO, 2)), (CARD, held_by(IVO, 2)))
    await store.append(Append(expected={}, reserve=taken))

    assert dict(taken) == {key: await store.holder(key) for key in (PHONE, CARD)}


async def test_fingerprints_of_keys_go_with_the_person(store: JournalStore):
    """S8: whatever a forgotten client and their own wallet still hold says no more what it was."""
    await store.append(forgetting(MARTA))

    found = await holders(store)
    assert {PHONE, OLD_PHONE, RECEIPT, CARD, SPEND} == {
        key for key, holder in found.items() if holder is not None and not holder.fingerprint
    }
    assert held_by(IVO) == found[MAIL]


async def test_nobody_else_loses_anything(store: JournalStore):
    """S8: an employee of the same id as a client is another person, and has no wallet."""
    before = await holders(store)

    await store.append(forgetting(NAMESAKE, "phone", "card"))

    assert before == await holders(store)


@pytest.mark.parametrize(
    "concerning",
    [
        {"versions": {MARTA: 2}},
        {"versions": {WALLET: 1}},
        {"versions": {}, "journals": (MARTA,)},
        {"versions": {IVO: 1}, "journals": (IVO, WALLET)},
    ],
)
async def test_fingerprints_of_answers_go_with_the_person(store: JournalStore, concerning):
    """S8: an answer that concerns a forgotten client stays, without what had been asked for."""
    answer = attrs.evolve(REFUSAL, **concerning)
    another = attrs.evolve(ANOTHERS, versions={IVO: 1}, journals=(IVO,))
    await store.append(Append(expected={}, answer=answer))
    await store.append(Append(expected={}, answer=another))
    assert answer == await answer_to(store, answer.request)

    await store.append(forgetting(MARTA))

    assert attrs.evolve(answer, fingerprint=NOTHING) == await answer_to(store, answer.request)
    assert another == await answer_to(store, another.request)


async def test_later_answers_about_a_forgotten_person_keep_no_fingerprint(store: JournalStore):
    """S8: what is asked about a forgotten client is not kept, from the erasure's own answer on."""
    own, later = ANOTHERS, attrs.evolve(REFUSAL, journals=(MARTA,))
    await store.append(attrs.evolve(forgetting(MARTA), answer=own))
    await store.append(Append(expected={}, answer=later))

    assert attrs.evolve(own, fingerprint=NOTHING) == await answer_to(store, own.request)
    assert attrs.evolve(later, fingerprint=NOTHING) == await answer_to(store, later.request)


async def test_answers_that_concern_nobody_are_kept_whole(store: JournalStore):
    """An answer that names no journal is nobody's to forget."""
    await store.append(Append(expected={}, answer=REFUSAL))
    await store.append(forgetting(MARTA))

    assert REFUSAL == await answer_to(store, REFUSAL.request)
    assert FINGERPRINT == REFUSAL.fingerprint


async def test_erasure_that_loses_leaves_everything(store: JournalStore):
    """An erasure that was decided on an older version forgets nothing."""
    answer = attrs.evolve(REFUSAL, journals=(MARTA,))
    await store.append(Append(expected={}, answer=answer))
    before = await holders(store)

    with pytest.raises(VersionConflictError):
        await store.append(attrs.evolve(forgetting(MARTA, "phone"), expected={MARTA: 7}))

    assert before == await holders(store)
    assert answer == await answer_to(store, answer.request)
