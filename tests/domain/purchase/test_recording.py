"""
Recording purchases: once, whole, within bounds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

from clientela.domain.errors import (
    CurrencyMismatchError,
    InvalidValueError,
    KeyTakenError,
    UnknownError,
)
from clientela.domain.facts import (
    LINE_QUANTITY_MAX,
    LINES_MAX,
    BusinessKey,
    PurchaseRecorded,
    ReturnRecorded,
    Tender,
    TenderKind,
)
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    EmployeeId,
    UnitId,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.money import AMOUNT_MINOR_MAX, Money
from tests.domain.purchase.till import (
    CUP,
    DAY,
    OLGA,
    PETRA,
    TEA,
    back,
    bought,
    eur,
    key,
    line,
    open_of,
    shop,
    wanted,
)
from tests.domain.spec import AT


PURCHASE = bought(1, line("1", TEA, 3, 900), line("2", CUP, 1, 450))
RETURN = back(2, wanted(1, TEA), day=1)


@pytest.fixture
def company():
    """A company with two clients."""
    return shop()


def test_purchase_is_recorded_with_what_was_left_out_filled_in(company):
    """
    REC-3: a purchase is recorded with its lines; paid in money, credited to the client's own
    wallet, on the day it was made, unless said otherwise.
    """
    events = company.when(PURCHASE)

    assert (
        PurchaseRecorded(
            purchase=key(1),
            client_id=PETRA,
            wallet_id=WalletId("petra"),
            lines=PURCHASE.lines,
            tenders=(Tender(kind=TenderKind.MONEY, amount=eur(1350)),),
            total=eur(1350),
            local_date=AT.date(),
        ),
    ) == events
    assert (AT, "REC-3", AT + 1000 * DAY) == (
        company.events[-1].occurred_at,
        company.events[-1].rule,
        company.events[-1].recorded_at,
    )


def test_purchase_is_recorded_as_it_was_said(company):
    """
    REC-3: tender, tax, currency, branch, seller, wallet and local date are kept as given.
    """
    command = attrs.evolve(
        PURCHASE,
        lines=(attrs.evolve(line("1", TEA, 3, 900), tax=eur(90), category=Code("food")),),
        tenders=(
            Tender(kind=TenderKind.POINTS, amount=eur(200), points=20),
            Tender(kind=TenderKind.STORED_VALUE, amount=eur(100)),
            Tender(kind=TenderKind.MONEY, amount=eur(600)),
        ),
        local_date=date(2026, 3, 1),
        wallet_id=WalletId("family"),
        unit_id=UnitId("north"),
        seller_id=EmployeeId("marta"),
    )

    (recorded,) = company.when(command)

    assert (
        PurchaseRecorded(
            purchase=key(1),
            client_id=PETRA,
            wallet_id=WalletId("family"),
            lines=command.lines,
            tenders=command.tenders,
            total=eur(900),
            local_date=date(2026, 3, 1),
            unit_id=UnitId("north"),
            seller_id=EmployeeId("marta"),
        )
        == recorded
    )
    assert (client_journal(PETRA), wallet_journal(WalletId("family"))) == command.journals()


def test_local_date_is_that_of_the_purchase_and_not_of_the_recording(company):
    """
    The day of a purchase that becomes known late is the day it was made, in UTC if not said.
    """
    late = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)

    (recorded,) = company.when(attrs.evolve(PURCHASE, occurred_at=late))

    assert date(2025, 12, 31) == recorded.local_date


@pytest.mark.parametrize(
    ("days", "until"), [(None, None), (0, AT.date()), (14, AT.date() + timedelta(days=14))]
)
def test_purchase_says_until_when_lines_may_come_back(days, until):
    """
    The policy in force when the purchase was made gives the last calendar day for returns.
    """
    (recorded,) = shop(returnable_days=days).when(PURCHASE)

    assert until == recorded.returnable_until


@pytest.mark.parametrize("command", [PURCHASE, RETURN], ids=["purchase", "return"])
def test_same_identity_and_content_again_changes_nothing(company, command):
    """
    Invariant 12: a purchase or return that is said twice is recorded once, for ever.
    """
    company.when(PURCHASE)
    company.when(command)
    count = len(company.events)

    assert () == company.when(command)
    assert () == company.at(AT + 5000 * DAY).when(command)
    assert count == len(company.events)


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (bought(1, line("1", TEA, 3, 901)), ("lines",)),
        (attrs.evolve(PURCHASE, occurred_at=AT + DAY), ("occurred_at",)),
        (
            attrs.evolve(PURCHASE, wallet_id=WalletId("w"), unit_id=UnitId("u")),
            ("unit_id", "wallet_id"),
        ),
        (attrs.evolve(RETURN, currency="USD"), ("currency",)),
        (attrs.evolve(RETURN, lines=(wanted(2, TEA),)), ("lines",)),
    ],
)
def test_same_identity_with_other_content_names_the_fields(company, command, fields):
    """
    Invariant 12: the same identity with another body is refused, and the fields are named.
    """
    company.when(PURCHASE, RETURN)

    with pytest.raises(MismatchError) as refused:
        company.when(command)

    assert fields == refused.value.fields


@pytest.mark.parametrize("command", [PURCHASE, RETURN], ids=["purchase", "return"])
def test_identity_of_another_clients_purchase_is_taken(company, command):
    """
    An identity names one purchase of one client: nobody else can have it, with the same content
    or another, and the refusal does not say whose it is.
    """
    company.when(PURCHASE, RETURN)

    with pytest.raises(KeyTakenError) as refused:
        company.when(attrs.evolve(command, client_id=OLGA))

    assert "petra" not in str(refused.value) + str(refused.value.details())


def test_purchase_and_return_of_one_number_are_two_things(company):
    """
    A till may number purchases and returns alike.
    """
    company.when(PURCHASE)

    assert ReturnRecorded is type(company.when(back(1, wanted(1, TEA), day=1))[0])


def test_identities_of_two_tills_are_two_things(company):
    """
    Numbers are those of their source; no joining of source and number gives another's.
    """
    company.when(PURCHASE)
    for source, number in (("till-2", "1"), ("till", "-11"), ("till-11", "1"), ("till-1", "11")):
        identity = BusinessKey(Code(source), BusinessId(number))
        assert 1 == len(company.when(attrs.evolve(PURCHASE, purchase=identity)))


@pytest.mark.parametrize("command", [PURCHASE, RETURN], ids=["purchase", "return"])
def test_client_must_be_known(company, command):
    """
    REC-4: what happened is credited to a client that exists.
    """
    with pytest.raises(UnknownError, match="no client ghost"):
        company.when(attrs.evolve(command, client_id=ClientId("ghost")))


def lines_with(**changes: Any) -> dict[str, object]:
    """One line, changed."""
    return {"lines": (attrs.evolve(line("1", TEA, 3, 900), **changes),)}


def paid(*tenders: Tender) -> dict[str, object]:
    """How it was paid."""
    return {"tenders": tenders}


MONEY = Tender(kind=TenderKind.MONEY, amount=eur(1350))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": ()}, "lines"),
        ({"lines": tuple(line(str(i), TEA, 1, 1) for i in range(LINES_MAX + 1))}, "lines"),
        ({"lines": (line("1", TEA, 1, 1), line("1", CUP, 1, 1))}, "lines"),
        (lines_with(quantity=0), "quantity"),
        (lines_with(quantity=-1), "quantity"),
        (lines_with(quantity=LINE_QUANTITY_MAX + 1), "quantity"),
        (lines_with(net=eur(-1)), "net"),
        (lines_with(tax=Money(1, "USD")), "currency"),
        ({"lines": (line("1", TEA, 1, AMOUNT_MINOR_MAX), line("2", TEA, 1, 1))}, "minor"),
        (paid(attrs.evolve(MONEY, amount=eur(1349))), "tenders"),
        (paid(attrs.evolve(MONEY, amount=eur(1351))), "tenders"),
        (
            paid(
                MONEY,
                attrs.evolve(MONEY, amount=eur(-1)),
                Tender(kind=TenderKind.MONEY, amount=eur(1)),
            ),
            "tenders",
        ),
        (paid(attrs.evolve(MONEY, points=5)), "tenders"),
        (paid(attrs.evolve(MONEY, kind=TenderKind.POINTS, points=-5)), "tenders"),
        (paid(attrs.evolve(MONEY, kind=TenderKind.POINTS, points=10**12 + 1)), "tenders"),
        (paid(attrs.evolve(MONEY, amount=Money(1350, "USD"))), "currency"),
        (paid(*[MONEY] * (LINES_MAX + 1)), "tenders"),
    ],
)
def test_malformed_purchase_is_refused_by_field(company, changes, field):
    """
    Lines, pieces, prices and tenders are within bounds, of one currency, and tenders sum to the
    lines; otherwise nothing is recorded.
    """
    count = len(company.events)

    with pytest.raises(InvalidValueError) as refused:
        company.when(attrs.evolve(PURCHASE, **changes))

    assert field == refused.value.field
    assert count == len(company.events)


def test_lines_of_two_currencies_are_refused(company):
    """
    Loyalty invariant 24: a purchase has one currency.
    """
    other = attrs.evolve(line("2", CUP, 1, 1), net=Money(1, "USD"))

    with pytest.raises(CurrencyMismatchError):
        company.when(bought(1, line("1", TEA, 1, 1), other))


def test_bounds_themselves_are_allowed(company):
    """
    The largest purchase that may be recorded is recorded; so is one that costs nothing.
    """
    many = tuple(line(str(i), TEA, LINE_QUANTITY_MAX, 0) for i in range(LINES_MAX))

    assert 1 == len(company.when(bought(1, *many)))
    assert 1 == len(company.when(bought(2, line("1", TEA, 1, AMOUNT_MINOR_MAX))))


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (back(2), "lines"),
        (back(2, *[wanted(1, TEA)] * (LINES_MAX + 1)), "lines"),
        (back(2, wanted(0, TEA)), "quantity"),
        (back(2, wanted(LINE_QUANTITY_MAX + 1, TEA)), "quantity"),
        (back(2, wanted(1)), "sku"),
        (back(2, wanted(1, purchase=1)), "sku"),
        (back(2, wanted(1, line_id="1")), "sku"),
        (back(2, wanted(1, TEA, refund=-1)), "refund"),
        (attrs.evolve(back(2, wanted(1, TEA, refund=1)), currency="USD"), "currency"),
        (attrs.evolve(back(2, wanted(1, TEA)), currency="euro"), "currency"),
        (back(2, wanted(1, TEA, refund=AMOUNT_MINOR_MAX), wanted(1, TEA, refund=1)), "minor"),
    ],
)
def test_malformed_return_is_refused_by_field(company, command, field):
    """
    A return names an article, or the purchase and line it came from, within bounds; otherwise
    nothing is recorded.
    """
    company.when(PURCHASE)
    count = len(company.events)

    with pytest.raises(InvalidValueError) as refused:
        company.when(command)

    assert field == refused.value.field
    assert count == len(company.events)


@pytest.mark.parametrize(
    ("source", "number", "field"),
    [
        ("", "1", "source"),
        ("a:b", "1", "source"),
        ("s" * 129, "1", "source"),
        ("s", "", "id"),
        ("s", "1" * 129, "id"),
    ],
)
def test_identity_has_a_source_without_colon_and_a_number(source, number, field):
    """
    A business identity can be written as `source:id` and read back.
    """
    with pytest.raises(InvalidValueError) as refused:
        BusinessKey(Code(source), BusinessId(number))

    assert field == refused.value.field


def test_what_is_all_back_is_no_longer_open(company):
    """
    The state holds what is open: a purchase of which everything came back is not in it.
    """
    company.when(PURCHASE, back(2, wanted(3, TEA), day=1))
    assert [key(1)] == list(open_of(company).open)

    company.when(back(3, wanted(1, CUP), day=2))

    assert ({}, {}) == (open_of(company).open, open_of(company).waiting)
