"""
Whether a repeat says the same as the first time.
"""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest

from clientela.domain.errors import Category
from clientela.domain.fingerprint import (
    HASH_LENGTH,
    NOTHING,
    Fingerprint,
    MismatchError,
    check_same,
    fingerprint,
)
from clientela.domain.ids import ClientId, Code
from clientela.domain.money import Money
from clientela.domain.personal import Personal, PersonalText, TokenVault


HUNDRED = Money(100, "EUR")
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Order:
    """A command with a field of each kind."""

    client_id: ClientId
    amount: Money = HUNDRED
    codes: tuple[Code, ...] = ()
    note: PersonalText | None = None
    occurred_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Cancel:
    """A command with the same fields."""

    client_id: ClientId


VAULT = TokenVault(b"fingerprint")
ORDER = Order(
    client_id=ClientId("petra"),
    codes=(Code("a"), Code("b")),
    note=Personal("Petra Nowak"),
    occurred_at=AT,
)
ORDER_FINGERPRINT = Fingerprint(
    "command=Order,client_id=9836d9fa9112ea80,codes=a97c521a2697603d,"
    "note=3b725fb815f74dc8,occurred_at=fa10369ff8af106d"
)


def of(command) -> Fingerprint:
    """Fingerprint under the one vault."""
    return fingerprint(command, VAULT)


def test_same_command_has_the_same_fingerprint():
    """
    Invariant 12 of the ledger: a repeat of the same command is known as one.
    """
    check_same(of(ORDER), of(attrs.evolve(ORDER)))


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"client_id": "olga"}, ("client_id",)),
        ({"amount": Money(101, "EUR")}, ("amount",)),
        ({"amount": Money(100, "USD")}, ("amount",)),
        ({"codes": ("b", "a")}, ("codes",)),
        ({"codes": ()}, ("codes",)),
        ({"note": Personal("Petra Novak")}, ("note",)),
        ({"note": None, "occurred_at": None}, ("note", "occurred_at")),
    ],
)
def test_mismatch_names_the_fields_that_differ(changes, fields):
    """
    Invariant 12: the same identity with another body is refused, and the refusal names the fields
    and nothing of what they said.
    """
    with pytest.raises(MismatchError) as refused:
        check_same(of(ORDER), of(attrs.evolve(ORDER, **changes)))

    assert fields == refused.value.fields
    assert {"fields": ",".join(fields)} == refused.value.details()
    assert ("IDEMPOTENCY_MISMATCH", Category.INVALID) == (
        refused.value.reason,
        refused.value.category,
    )
    assert "etra" not in str(refused.value)


def test_fingerprint_is_the_same_for_ever():
    """
    Fingerprints are kept beside the identities they guard: the same command has the same one in
    every release.
    """
    assert ORDER_FINGERPRINT == of(ORDER)


def test_another_command_is_a_mismatch():
    """
    The same request id for another method is refused even if all fields agree.
    """
    client_id = ClientId("petra")

    with pytest.raises(MismatchError) as refused:
        check_same(of(Order(client_id=client_id)), of(Cancel(client_id=client_id)))

    assert ("command",) == refused.value.fields


@pytest.mark.parametrize(
    ("first", "again"), [(NOTHING, of(ORDER)), (of(ORDER), NOTHING), (NOTHING, NOTHING)]
)
def test_empty_fingerprint_says_nothing(first, again):
    """
    Where a fingerprint was not kept or not made, nothing can differ.
    """
    check_same(first, again)


def test_fingerprint_holds_no_value():
    """
    A fingerprint is names and short keyed hashes; without the key nobody can test a guess.
    """
    pairs = dict(pair.split("=") for pair in of(ORDER).split(","))

    assert "Order" == pairs.pop("command")
    assert ["client_id", "codes", "note", "occurred_at"] == list(pairs)
    assert {HASH_LENGTH} == {len(digest) for digest in pairs.values()}
    assert of(ORDER) != fingerprint(ORDER, TokenVault(b"another key"))


def test_new_field_at_its_default_changes_no_fingerprint():
    """
    A field left at its default is not in the fingerprint, so that a command may get new ones.
    """
    assert of(Order(client_id=ClientId("petra"))) == of(
        Order(client_id=ClientId("petra"), codes=(), note=None)
    )
