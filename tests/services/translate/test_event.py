import json

import pytest

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import JournalKind, Ref
from clientela.services.translate import event
from clientela.services.translate.messages import actor, fact_ref, journal_id, timestamp
from clientela.v1 import common_pb2, event_pb2
from tests.services.translate.shop import CLERK, CLIENT, WALLET, codec, shop, stored


def test_an_envelope_goes_out_whole():
    """
    REC-2, REC-4: who, when, why, and where the event stands.
    """
    company = shop()
    claimed = company.history(CLIENT)[5]
    encoder = codec(company)

    answer = event.envelope(claimed, stored(claimed, encoder), encoder)

    expected = event_pb2.EventEnvelope(
        event_id=claimed.event_id,
        journal=journal_id(CLIENT),
        version=6,
        position=7,
        name="client-claimed",
        schema_version=1,
        origin=event_pb2.ORIGIN_DERIVED,
        visibility=event_pb2.VISIBILITY_COMPANY,
        occurred_at=timestamp(claimed.occurred_at),
        recorded_at=timestamp(claimed.recorded_at),
        actor=actor(CLERK),
        append_id=claimed.append_id,
        index=1,
        count=2,
        correlation_id=claimed.correlation_id,
        causation_id=company.history(CLIENT)[4].event_id,
        rule="OWN-1",
        because=[fact_ref(Ref(CLIENT, 5))],
        hash="5e".zfill(64),
        payload=b'{"client_id":"olga","owner_id":"marta","unit_id":"north"}',
    )
    assert expected == answer


def test_no_payload_holds_a_box():
    """
    Neither personal values nor their ciphertext leave with an event.
    """
    company = shop()
    encoder = codec(company)

    payloads = [
        event.payload(recorded.event, encoder)
        for journal in (CLIENT, WALLET)
        for recorded in company.history(journal)
    ]

    assert not any(b"box" in payload for payload in payloads)
    assert any(b'{"sealed":true}' in payload for payload in payloads)


def test_a_payload_is_json_with_sorted_keys():
    """
    The same event is the same bytes.
    """
    company = shop()
    purchase = company.history(CLIENT)[7]

    payload = event.payload(purchase.event, codec(company))

    plain = json.loads(payload)
    assert sorted(plain) == list(plain)
    assert {"minor": 4200, "currency": "EUR"} == plain["total"]


def test_kinds_of_journals_are_named():
    """
    Events are read of some kinds of journal or of all.
    """
    wallets = [common_pb2.JOURNAL_KIND_WALLET]

    assert frozenset({JournalKind.WALLET}) == event.journal_kinds(wallets)
    assert frozenset() == event.journal_kinds([])


def test_an_unspecified_kind_is_refused():
    """
    A kind that says nothing would silently mean all.
    """
    with pytest.raises(InvalidValueError) as refused:
        event.journal_kinds([common_pb2.JOURNAL_KIND_WALLET, 0])

    assert "journal_kinds[1]" == refused.value.field
