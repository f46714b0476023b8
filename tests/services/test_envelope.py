"""
Recorded events as rows, chained along each journal.
"""

from __future__ import annotations

import json

from datetime import timedelta

import attrs
import pytest

from clientela.domain.codec import Codec, UnknownEventError, canonical
from clientela.domain.company import Company
from clientela.domain.ids import PrincipalId, client_journal
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Personal
from clientela.domain.purchase.recording import PURCHASE
from clientela.services.envelope import (
    AlteredError,
    BrokenChainError,
    UnreadableError,
    chained,
    check_chain,
    checked,
    decode,
    encode,
)
from clientela.services.rows import Head, StoredEvent
from tests.domain.purchase.till import OLGA, PETRA, TEA, back, bought, line, wanted
from tests.domain.register import REGISTER, Register
from tests.domain.spec import AT, CLERK, MARTA, Scenario
from tests.services.firm import PHONE


JOURNAL = client_journal(PETRA)


@pytest.fixture(scope="module")
def company() -> Scenario:
    """A company with a note, a return that was matched late, and two clients' journals."""
    scenario = Scenario(REGISTER, OWNERSHIP, PURCHASE)
    scenario.when(
        Register(client_id=PETRA),
        Register(client_id=OLGA),
        Approach(client_id=PETRA, employee_id=MARTA, channel=PHONE, note=Personal("likes tea")),
        back("r", wanted(1, TEA), day=3),
        bought("p", line("1", TEA, 2, 100), day=1),
    )
    return scenario


@pytest.fixture(scope="module")
def codec(company) -> Codec:
    """Knows what the company records."""
    return Codec(company.rulebook.event_classes)


def rows(company: Company, codec: Codec) -> tuple[StoredEvent, ...]:
    """All events as rows, in the order of appending."""
    return encode(codec, company.events, {e.journal: Head() for e in company.events})


def of(journal, stored) -> list[StoredEvent]:
    """Rows of one journal."""
    return [row for row in stored if row.journal == journal]


def test_rows_come_back_as_the_events_they_were(company, codec):
    """
    A row holds all of an event: itself, its envelope, its personal values sealed.
    """
    stored = rows(company, codec)

    assert company.events == [decode(codec, row) for row in stored]
    assert [
        (e.journal, e.version, e.event_id, e.append_id, e.type.stored_name, e.occurred_at)
        for e in company.events
    ] == [(r.journal, r.version, r.event_id, r.append_id, r.name, r.occurred_at) for r in stored]
    assert {AT} == {row.recorded_at for row in stored}
    assert b"likes tea" not in b"".join(row.body for row in stored)


def test_body_is_canonical(company, codec):
    """
    The bytes that are hashed do not depend on who wrote them.
    """
    for row in rows(company, codec):
        assert row.body == canonical(json.loads(row.body))
        assert {"envelope", "name", "payload"} == set(json.loads(row.body))


def test_each_row_is_chained_to_the_one_before_it_in_its_journal(company, codec):
    """
    The hash of a row covers its body and the previous row of its journal, whatever stands between
    them in the order of appending.
    """
    stored = rows(company, codec)

    assert len({row.journal for row in stored}) == 2
    for journal in {row.journal for row in stored}:
        previous = ""
        for row in of(journal, stored):
            assert chained(previous, row.body) == row.hash
            previous = row.hash
        last = of(journal, stored)[-1]
        assert Head(last.version, last.hash, last.recorded_at) == check_chain(of(journal, stored))


def test_rows_of_one_append_go_on_from_the_heads_of_the_last(company, codec):
    """
    Encoding append by append gives the same rows as encoding all at once.
    """
    heads = {recorded.journal: Head() for recorded in company.events}
    found: list[StoredEvent] = []
    for recorded in company.events:
        found.extend(encode(codec, (recorded,), heads))
        heads[recorded.journal] = Head(found[-1].version, found[-1].hash, found[-1].recorded_at)

    assert list(rows(company, codec)) == found


def test_chain_can_be_checked_from_any_version_on(company, codec):
    """
    Who knows a head checks what follows on it.
    """
    journal = of(JOURNAL, rows(company, codec))
    for n in range(len(journal) + 1):
        head = check_chain(journal[:n])
        assert check_chain(journal) == check_chain(journal[n:], head)
    assert Head() == check_chain(())


@pytest.mark.parametrize("n", range(5))
@pytest.mark.parametrize(
    "harm",
    ["body", "one byte", "hash", "version", "removed", "doubled", "swapped", "foreign"],
)
def test_every_harm_to_a_journal_is_found(company, codec, harm, n):
    """
    Trust: a row that was changed, moved, removed, doubled, or comes from another journal breaks
    the chain at its place.
    """
    stored = rows(company, codec)
    journal = of(JOURNAL, stored)
    row = journal[n]
    changed = {
        "body": [attrs.evolve(row, body=canonical({"payload": {}, "envelope": {}}))],
        "one byte": [attrs.evolve(row, body=row.body[:-1] + bytes([row.body[-1] ^ 1]))],
        "hash": [attrs.evolve(row, hash="0" * 64)],
        "version": [attrs.evolve(row, version=row.version + 1)],
        "removed": [],
        "doubled": [row, row],
        "swapped": [*journal[n + 1 : n + 2], row],
        "foreign": [attrs.evolve(of(client_journal(OLGA), stored)[0], version=row.version)],
    }[harm]
    skipped = 2 if harm == "swapped" else 1
    harmed = [*journal[:n], *changed, *journal[n + skipped :]]
    if harmed in (journal, journal[:n]):
        # Nothing was harmed, or only the end is missing: that the head of the journal tells.
        assert check_chain(harmed).version == len(harmed)
        return

    with pytest.raises(BrokenChainError) as broken:
        check_chain(harmed)

    assert JOURNAL.kind is broken.value.journal_id.kind
    assert broken.value.version in {row.version, row.version + 1}


def test_row_of_an_unknown_event_stops_the_reader(company, codec):
    """
    What this composition does not know is never skipped.
    """
    row = attrs.evolve(rows(company, codec)[0], name="never-heard-of.v1")

    with pytest.raises(UnknownEventError):
        decode(codec, row)


def test_changed_envelope_changes_the_hash(company, codec):
    """
    The chain covers who did it, when and why, not only what.
    """
    first = company.events[0]
    hashes = {
        encode(codec, (changed,), {first.journal: Head()})[0].hash
        for changed in (
            first,
            attrs.evolve(first, actor=attrs.evolve(CLERK, id=PrincipalId("other"))),
            attrs.evolve(first, occurred_at=AT + timedelta(seconds=1)),
            attrs.evolve(first, rule="OWN-2"),
            attrs.evolve(first, because=(first.ref,)),
            attrs.evolve(first, event_id="e99"),
        )
    }

    assert 6 == len(hashes)


def test_whole_row_is_the_event_it_was(company, codec):
    """
    A row whose columns agree with its body gives its event.
    """
    assert company.events == [checked(codec, row) for row in rows(company, codec)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("journal", client_journal(OLGA)),
        ("version", 99),
        ("event_id", "e99"),
        ("append_id", "a99"),
        ("name", "client-claimed.v1"),
        ("name", "never-heard-of.v1"),
        ("occurred_at", AT - timedelta(days=400)),
        ("recorded_at", AT + timedelta(microseconds=1)),
    ],
)
def test_every_column_must_agree_with_the_body(company, codec, column, value):
    """
    Trust: what stands beside the hashed body is covered by it, the stored name included.
    """
    row = attrs.evolve(rows(company, codec)[0], **{column: value})

    with pytest.raises(AlteredError) as altered:
        checked(codec, row)

    assert (column,) == altered.value.columns


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[]", b"{}", b'{"name": 1}', b"[" * 100_000],
    ids=["empty", "cut", "no-text", "list", "nothing", "number", "deep"],
)
def test_spoilt_body_is_unreadable(company, codec, body):
    """
    Whatever bytes stand there, the reader is told where, not how they failed.
    """
    row = attrs.evolve(rows(company, codec)[0], body=body)

    with pytest.raises(UnreadableError):
        checked(codec, row)
