"""
Everything that is kept, to plain data and back.
"""

from __future__ import annotations

import enum
import json

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import attrs
import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.codec import (
    Codec,
    UnknownEventError,
    canonical,
    parsed,
)
from clientela.domain.draft import State, seal, state, thaw
from clientela.domain.event import SYSTEM, Actor, ActorKind, Key, Origin, RecordedEvent, event
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import (
    Blind,
    BusinessId,
    ClientId,
    Code,
    EventId,
    JournalId,
    JournalKind,
    PrincipalId,
    Ref,
    UnitId,
    client_journal,
)
from clientela.domain.money import Money
from clientela.domain.personal import Personal, PersonalText, Sealed
from clientela.domain.stored import OPEN, UnsealedError


PETRA = client_journal(ClientId("petra"))
AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
NOTE = Sealed(PETRA, EventId("e1"), Code("note"), "box")


class Colour(enum.Enum):
    """An enum whose values differ from its names."""

    RED = "dark-red"
    BLUE = "light-blue"


@attrs.frozen(kw_only=True)
class Part:
    """A value inside an event."""

    code: Code
    amount: Money | None = None


@event("test-happened", origin=Origin.RECORDED, version=3)
class Happened:
    """An event with a field of each kind."""

    code: Code
    colour: Colour = Colour.RED
    moment: datetime | None = None
    day: date | None = None
    amount: Money | None = None
    rate: Decimal | None = None
    identity: BusinessKey | None = None
    ref: Ref | None = None
    parts: tuple[Part, ...] = ()
    note: PersonalText | None = None
    words: tuple[PersonalText, ...] = ()
    count: int = 0
    holds: bool = True


@state(JournalKind.CLIENT)
class Seen(State):
    """A state whose dict has keys of a class."""

    note: PersonalText | None = None
    by_identity: dict[BusinessKey, Part] = attrs.field(factory=dict[BusinessKey, Part])
    by_journal: dict[JournalId, Ref] = attrs.field(factory=dict[JournalId, Ref])


FULL = Happened(
    code=Code("c"),
    colour=Colour.BLUE,
    moment=AT,
    day=date(2026, 3, 1),
    amount=Money(-1250, "EUR"),
    rate=Decimal("1.50"),
    identity=BusinessKey(Code("till"), BusinessId("a:b/c@1")),
    ref=Ref(PETRA, 7),
    parts=(Part(code=Code("p"), amount=Money(1, "JPY")), Part(code=Code("q"))),
    note=NOTE,
    words=(NOTE, NOTE),
    count=3,
    holds=False,
)

PAYLOAD = {
    "code": "c",
    "colour": "light-blue",
    "moment": "2026-03-02T09:00:00.123456+00:00",
    "day": "2026-03-01",
    "amount": {"minor": -1250, "currency": "EUR"},
    "rate": "1.50",
    "identity": "till:a:b/c@1",
    "ref": "client/petra@7",
    "parts": [{"code": "p", "amount": {"minor": 1, "currency": "JPY"}}, {"code": "q"}],
    "note": {"person": "client/petra", "source": "e1", "field": "note", "box": "box"},
    "words": [{"person": "client/petra", "source": "e1", "field": "note", "box": "box"}] * 2,
    "count": 3,
    "holds": False,
}


RECORDED = RecordedEvent(
    event_id=EventId("e2"),
    journal=PETRA,
    version=2,
    event=FULL,
    occurred_at=AT - timedelta(days=1),
    recorded_at=AT,
    actor=Actor(ActorKind.EMPLOYEE, PrincipalId("a/b")),
    on_behalf_of=SYSTEM,
    unit=UnitId("north"),
    request=Blind("r"),
    append_id="a1",
    index=1,
    count=2,
    correlation_id="c1",
    causation_id=EventId("e1"),
    rule="OWN-1",
    definition="ownership@3",
    because=(Ref(PETRA, 1), Ref(JournalId(JournalKind.WALLET, "petra"), 5)),
)


def rename_code(payload):
    """Version 1 called the code a name."""
    return {"code" if name == "name" else name: value for name, value in payload.items()}


def count_as_number(payload):
    """Version 2 kept the count as text."""
    return {**payload, "count": int(payload["count"])}


@pytest.fixture
def codec():
    """A codec that knows one event in three versions."""
    return Codec([Happened], {"test-happened.v1": rename_code, "test-happened.v2": count_as_number})


def test_event_is_stored_under_its_name_and_version(codec):
    """
    An event becomes plain data under `name.vN`; money, identities, references and moments have
    one text form each.
    """
    assert ("test-happened.v3", PAYLOAD) == codec.encode(FULL)


@pytest.mark.parametrize(
    "happened", [FULL, Happened(code=Code("c"))], ids=["every field", "defaults only"]
)
def test_stored_event_comes_back_equal(codec, happened):
    """
    Through JSON and back an event is the same.
    """
    name, payload = codec.encode(happened)

    assert happened == codec.decode(name, json.loads(canonical(payload)))


def test_defaults_take_no_room(codec):
    """
    A field at its default is left out of the payload.
    """
    assert {"code": "c"} == codec.encode(Happened(code=Code("c")))[1]


def test_old_payload_is_lifted_version_by_version(codec):
    """
    A payload of an old version passes every upcaster between its version and the present one.
    """
    assert Happened(code=Code("c"), count=4) == codec.decode(
        "test-happened.v1", {"name": "c", "count": "4"}
    )


@pytest.mark.parametrize("name", ["test-happened.v4", "test-happened", "never-heard-of.v1", ""])
def test_unknown_event_stops_the_reader(codec, name):
    """
    An event that this composition does not know is never skipped.
    """
    with pytest.raises(UnknownEventError) as unknown:
        codec.decode(name, {})

    assert name == unknown.value.stored_name


@pytest.mark.parametrize(
    "happened",
    [
        Happened(code=Code("c"), note=Personal("secret")),
        Happened(code=Code("c"), words=(NOTE, Personal("secret"))),
    ],
)
def test_open_personal_value_is_never_encoded(codec, happened):
    """
    A personal value that nobody sealed cannot reach a file: encoding refuses, and does not say it.
    """
    with pytest.raises(UnsealedError) as refused:
        codec.encode(happened)

    assert "secret" not in str(refused.value)


def test_open_personal_value_is_never_encoded_in_a_state(codec):
    """
    The same holds of states, which go into snapshots.
    """
    with pytest.raises(UnsealedError):
        codec.plain(Seen(note=Personal("secret")))


def test_forms_of_commands_take_open_values():
    """
    Commands are only hashed, never kept: their personal values stay open there.
    """
    happened = Happened(code=Code("c"), note=Personal("open"), words=(NOTE,))

    assert (
        '{"code":"c","note":"open",'
        '"words":[{"box":"box","field":"note","person":"client/petra","source":"e1"}]}'
    ) == OPEN.of(Happened).text(happened)


def test_envelope_comes_back_equal(codec):
    """
    All of the envelope is kept beside the payload, and together they give the recorded event.
    """
    recorded = RECORDED

    envelope = json.loads(canonical(codec.envelope(recorded)))

    assert "event" not in envelope
    assert recorded == codec.recorded(envelope, FULL)
    assert ["client/petra@1", "wallet/petra@5"] == envelope["because"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"occurred_at": AT},
        {"on_behalf_of": None, "unit": None, "request": None, "because": ()},
        {"causation_id": None, "definition": None},
        {"unit": UnitId('"north"\n'), "rule": "ё\\"},
    ],
    ids=["everything", "at once", "nobody", "nothing", "odd characters"],
)
def test_body_is_the_canonical_json_of_all_parts(codec, changes):
    """
    What is stored of an event is canonical JSON of its envelope, name and payload, field by field.
    """
    recorded = attrs.evolve(RECORDED, **changes)
    name, payload = codec.encode(recorded.event)
    envelope = {
        "event_id": recorded.event_id,
        "journal": str(recorded.journal),
        "version": recorded.version,
        "occurred_at": recorded.occurred_at.isoformat(),
        "recorded_at": recorded.recorded_at.isoformat(),
        "actor": str(recorded.actor),
        "on_behalf_of": recorded.on_behalf_of and str(recorded.on_behalf_of),
        "unit": recorded.unit,
        "request": recorded.request,
        "append_id": recorded.append_id,
        "index": recorded.index,
        "count": recorded.count,
        "correlation_id": recorded.correlation_id,
        "causation_id": recorded.causation_id,
        "rule": recorded.rule,
        "definition": recorded.definition,
        "because": [str(ref) for ref in recorded.because],
    }
    whole = {"envelope": envelope, "name": name, "payload": payload}

    assert canonical(whole) == codec.body(recorded)
    assert {field.name for field in attrs.fields(RecordedEvent)} == {*envelope, "event"}


def test_body_holds_nothing_open(codec):
    """
    An open personal value reaches no body either.
    """
    happened = Happened(code=Code("c"), words=(NOTE, Personal("secret")))

    with pytest.raises(UnsealedError):
        codec.body(attrs.evolve(RECORDED, event=happened))


def test_kept_value_is_canonical(codec):
    """
    A state is kept as canonical JSON of its plain data.
    """
    seen = Seen(
        by_journal={JournalId(JournalKind.WALLET, "w"): Ref(PETRA, 1), PETRA: Ref(PETRA, 3)}
    )

    assert canonical(codec.plain(seen)) == codec.kept(seen)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1} ', b'{"a":1}{}', b"\xff"])
def test_bytes_that_are_no_json_are_not_read(body):
    """
    A body that is cut off, goes on after its end or is no text is refused.
    """
    with pytest.raises(ValueError, match=r"."):
        parsed(body)


@pytest.mark.parametrize("is_sealed", [True, False])
def test_state_comes_back_equal(codec, is_sealed):
    """
    A state, draft or sealed, is kept in a snapshot and comes back as a draft that can be folded on.
    """
    seen = Seen(
        note=NOTE,
        by_identity={BusinessKey(Code("till"), BusinessId("1:2")): Part(code=Code("p"))},
        by_journal={PETRA: Ref(PETRA, 3)},
    )
    if is_sealed:
        seal(seen)

    plain = json.loads(canonical(codec.plain(seen)))
    again = codec.value(plain, Seen)

    assert seen == again
    assert seen == thaw(seal(again))


@given(
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])),
    st.dates(),
    st.decimals(allow_nan=False, allow_infinity=False),
)
def test_moments_days_and_rates_come_back_equal(moment, day, rate):
    """
    Moments keep their microseconds and come back in UTC; days and rates are the same.
    """
    codec = Codec([Happened])
    happened = Happened(code=Code("c"), moment=moment, day=day, rate=rate)

    again = codec.decode(*codec.encode(happened))

    assert happened == again
    assert UTC is again.moment.tzinfo


@given(
    st.text(min_size=1, max_size=20).filter(lambda t: ":" not in t),
    st.text(min_size=1, max_size=20),
)
def test_identities_and_keys_come_back_equal(source, identity):
    """
    A colon in another system's id, and any other character, survives; so do keys.
    """
    codec = Codec([])
    business = BusinessKey(Code(source), BusinessId(identity))
    key = Key(Code(identity), Blind("ab12"))

    assert business == codec.value(codec.plain(business), BusinessKey)
    assert key == codec.value(codec.plain(key), Key)


def test_same_data_has_the_same_bytes():
    """
    Canonical JSON does not depend on the order in which a dict was filled, and keeps letters.
    """
    assert canonical({"b": 1, "a": ["ё"]}) == canonical({"a": ["ё"], "b": 1})
    assert '{"a":["ё"],"b":1}'.encode() == canonical({"b": 1, "a": ["ё"]})
