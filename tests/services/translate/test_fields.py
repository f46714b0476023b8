from datetime import UTC, date, datetime

import pytest

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money as WireMoney
from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import BusinessKey, Direction
from clientela.domain.ids import BusinessId, Code, EmployeeId, JournalId, JournalKind
from clientela.domain.money import AMOUNT_MINOR_MAX, Money
from clientela.services.translate import fields, messages
from clientela.v1 import common_pb2, interaction_pb2


AMOUNTS = st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def field_of(refused):
    """The field that an error names."""
    return refused.value.field


@given(AMOUNTS, CURRENCIES)
def test_money_comes_back_as_it_went(minor, currency):
    """
    LOY-10: an amount survives the wire exactly, in currencies of 0 to 4 digits after the point.
    """
    assert Money(minor, currency) == fields.money(messages.money(Money(minor, currency)), "net")


@given(AMOUNTS, CURRENCIES)
def test_units_and_nanos_have_one_sign(minor, currency):
    """
    google.type.Money wants units and nanos of one sign.
    """
    wire = messages.money(Money(minor, currency))

    assert wire.units * wire.nanos >= 0


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (WireMoney(currency_code="EUR", units=1, nanos=1), "net"),
        (WireMoney(currency_code="EUR", nanos=5_000_000), "net"),
        (WireMoney(currency_code="JPY", nanos=500_000_000), "net"),
        (WireMoney(currency_code="EUR", units=AMOUNT_MINOR_MAX), "net"),
        (WireMoney(currency_code="eur", units=1), "net.currency_code"),
        (WireMoney(units=1), "net.currency_code"),
    ],
    ids=["nano", "half-cent", "half-yen", "too-much", "small-letters", "no-currency"],
)
def test_money_that_the_currency_cannot_hold_is_refused(wire, field):
    """
    LOY-10: nothing is rounded on the way in: more digits than the currency has are refused.
    """
    with pytest.raises(InvalidValueError) as refused:
        fields.money(wire, "net")

    assert field == field_of(refused)


@given(MOMENTS)
def test_moments_come_back_as_they_went(at):
    """
    A moment survives the wire to the microsecond.
    """
    assert at == fields.moment(messages.timestamp(at))


@given(st.dates())
def test_days_come_back_as_they_went(day):
    """
    A calendar day survives the wire.
    """
    assert day == fields.day(messages.day(day), "local_date")


@pytest.mark.parametrize(
    "wire",
    [Date(), Date(year=2026), Date(year=2026, month=2, day=29), Date(month=3, day=2)],
    ids=["nothing", "a-year", "no-leap-day", "no-year"],
)
def test_what_is_no_day_is_refused(wire):
    """
    A year or month alone is a google.type.Date and no calendar day.
    """
    with pytest.raises(InvalidValueError) as refused:
        fields.day(wire, "local_date")

    assert "local_date" == field_of(refused)


@pytest.mark.parametrize(
    "text", ["", " lost", "lost ", "x" * 129], ids=["empty", "before", "after", "long"]
)
def test_what_is_no_code_is_refused(text):
    """
    A code has 1 to 128 characters and no blanks around it.
    """
    with pytest.raises(InvalidValueError) as refused:
        fields.code(text, "reason")

    assert "reason" == field_of(refused)


@pytest.mark.parametrize(
    "text", ["", "a/b", "a b", "ä", "x" * 65], ids=["empty", "slash", "blank", "umlaut", "long"]
)
def test_what_is_no_id_is_refused(text):
    """
    An id has 1 to 64 characters of A-Z, a-z, 0-9, - and _.
    """
    with pytest.raises(InvalidValueError) as refused:
        fields.named(EmployeeId, text, "employee_id")

    assert "employee_id" == field_of(refused)


def test_an_empty_id_is_none_where_it_may_be_absent():
    """
    An empty string is an absent value.
    """
    assert fields.named_if_any(EmployeeId, "", "employee_id") is None
    assert fields.code_if_any("", "offer") is None
    assert fields.personal_if_any("") is None


@pytest.mark.parametrize("direction", Direction)
def test_enums_come_back_as_they_went(direction):
    """
    A member of an enum survives the wire.
    """
    number = messages.number(interaction_pb2.Direction, direction)

    assert direction is fields.member(Direction, interaction_pb2.Direction, number, "direction")


@pytest.mark.parametrize("number", [0, 99])
def test_an_enum_that_is_unspecified_or_unknown_is_refused(number):
    """
    Where an enum is required, unspecified is as wrong as a number nobody knows.
    """
    with pytest.raises(InvalidValueError) as refused:
        fields.member(Direction, interaction_pb2.Direction, number, "direction")

    assert "direction" == field_of(refused)


def test_business_keys_come_back_as_they_went():
    """
    A business identity survives the wire.
    """
    key = BusinessKey(Code("till-7"), BusinessId("r-100"))

    assert key == fields.business_key(messages.business_key(key), "purchase")


@pytest.mark.parametrize(
    ("source", "id_", "field"),
    [
        ("", "r-100", "purchase.source"),
        ("till:7", "r-100", "purchase.source"),
        ("till-7", "", "purchase.id"),
        ("till-7", "x" * 129, "purchase.id"),
    ],
    ids=["no-source", "colon", "no-id", "long-id"],
)
def test_what_is_no_business_key_is_refused(source, id_, field):
    """
    Source and id have 1 to 128 characters, and a source no colon.
    """
    with pytest.raises(InvalidValueError) as refused:
        fields.business_key(common_pb2.BusinessKey(source=source, id=id_), "purchase")

    assert field == field_of(refused)


def test_journals_come_back_as_they_went():
    """
    A journal survives the wire.
    """
    journal = JournalId(JournalKind.WALLET, "olga")

    assert journal == fields.journal_id(messages.journal_id(journal), "journal")


@pytest.mark.parametrize("number", [-1, 2**53 + 1])
def test_versions_are_bounded(number):
    """
    A version is 0 or more, and small enough for every reader of JSON.
    """
    with pytest.raises(InvalidValueError) as refused:
        fields.version(number, "after_version")

    assert "after_version" == field_of(refused)


def test_absent_moments_and_days_are_none():
    """
    A field that is absent is no moment and no day.
    """
    assert messages.timestamp_if_any(None) is None
    assert messages.day_if_any(None) is None
    assert messages.day_if_any(date(2026, 3, 2)) == Date(year=2026, month=3, day=2)
    assert isinstance(messages.timestamp_if_any(datetime(2026, 3, 2, tzinfo=UTC)), Timestamp)
