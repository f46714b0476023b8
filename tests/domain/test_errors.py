"""
The errors of the domain: one class per broken rule, each with a reason that stays.
"""

from __future__ import annotations

import inspect
import re

from datetime import timedelta

import pytest

from clientela.domain.errors import (
    Category,
    CurrencyMismatchError,
    DomainError,
    InvalidCommandError,
    InvalidValueError,
    KeyTakenError,
    RefusedError,
    UnknownError,
)
from clientela.domain.event import Key
from clientela.domain.ids import Blind, ClientId, Code, Ref, client_journal
from tests.domain.discovery import subclasses
from tests.domain.spec import AT


ERRORS = subclasses(DomainError)
REF = Ref(client_journal(ClientId("petra")), 3)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_error_has_a_stable_reason_and_a_category(error):
    """
    Each error says by a code in capitals, its own and nobody else's, what is wrong, and of what
    kind it is; what it inherits unchanged it cannot be told by.
    """
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", error.reason)
    assert isinstance(error.category, Category)
    assert "reason" in vars(error)
    assert [error] == [other for other in ERRORS if other.reason == error.reason]
    assert error.__name__.endswith("Error")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_error_stands_in_the_tree_of_its_module(error):
    """
    Who opens a module of refusals sees all of them, drawn as a tree, before the first class.
    """
    module = inspect.getmodule(error)

    if module is not None and module.__name__.rpartition(".")[2] in {"errors", "refusals"}:
        assert f"{error.__name__} " in (module.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "text", "details"),
    [
        (
            InvalidValueError("quantity", "1 to 9"),
            "quantity: expected 1 to 9",
            {"field": "quantity", "expected": "1 to 9"},
        ),
        (
            CurrencyMismatchError("EUR", "USD"),
            "currency: expected EUR, not USD",
            {"field": "currency", "expected": "EUR, not USD"},
        ),
        (InvalidCommandError("nothing is asked for"), "nothing is asked for", {}),
        (UnknownError("client", "petra"), "no client petra", {"kind": "client", "id": "petra"}),
        (RefusedError("not now", rule="OWN-1"), "not now", {"rule": "OWN-1"}),
        (
            RefusedError("not now", rule="OWN-1", because=(REF,), until=AT + timedelta(hours=1)),
            "not now",
            {"rule": "OWN-1", "until": "2026-03-02T10:00:00+00:00"},
        ),
        (
            KeyTakenError(Key(Code("phone"), Blind("0123abcd"))),
            "this phone is already in use",
            {"scope": "phone"},
        ),
        (DomainError(), "", {}),
    ],
)
def test_error_makes_its_own_message_and_tells_its_data(error, text, details):
    """
    An error is made from data: message and details follow from it, and the edge need not match on
    text.
    """
    assert (text, details) == (str(error), error.details())


def test_key_itself_is_not_told():
    """
    Whose key it is and its hash stay inside.
    """
    error = KeyTakenError(Key(Code("phone"), Blind("0123abcd")))

    assert "0123abcd" not in str(error) + str(error.details())


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (InvalidValueError, Category.INVALID),
        (InvalidCommandError, Category.INVALID),
        (UnknownError, Category.MISSING),
        (RefusedError, Category.RULE),
        (KeyTakenError, Category.TAKEN),
    ],
)
def test_category_says_what_a_caller_can_do(error, category):
    """
    Malformed, missing, forbidden and taken are told apart once, for all errors below.
    """
    assert category is error.category


def test_refusal_carries_rule_and_facts():
    """
    A refusal names the rule, the facts it rests on, and leaves nothing unless it says so.
    """
    refusal = RefusedError("not now", rule="OWN-1", because=(REF,))

    assert ("OWN-1", (REF,), None, ()) == (
        refusal.rule,
        refusal.because,
        refusal.until,
        refusal.leaves,
    )
