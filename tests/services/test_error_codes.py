"""
The table from errors to codes is complete, and what leaves is bounded.
"""

from __future__ import annotations

import importlib
import pkgutil

from datetime import timedelta

import grpc
import pytest

from hypothesis import given
from hypothesis import strategies as st

import clientela.domain
import clientela.services

from clientela.domain.definitions.problems import DefinitionsError, Problem
from clientela.domain.errors import (
    Category,
    DomainError,
    InvalidValueError,
    RefusedError,
    UnknownError,
)
from clientela.domain.fingerprint import NOTHING
from clientela.domain.ids import Blind, client_journal
from clientela.services.calls import ContendedError, EtagMismatchError, StoredRefusalError
from clientela.services.error_codes import (
    CODES,
    TEXT_BYTES_MAX,
    clipped,
    code_of,
    is_told,
    status_of,
)
from clientela.services.refusals import (
    DeadlineError,
    EdgeError,
    OverloadedError,
    RateLimitedError,
    UnauthenticatedError,
)
from clientela.services.rows import Answer
from clientela.services.store_errors import (
    ConflictError,
    StoreError,
    StoreUnavailableError,
    StoreUnsuitableError,
    VersionConflictError,
)
from tests.services.edge import AT, PETRA, Refusal, told


CARRIERS = {StoredRefusalError}
"""Errors that carry the reason of another one."""


class TalkativeError(RefusedError):
    """A refusal with much to say."""

    reason = "TALKATIVE"

    def details(self):
        return {**super().details(), **{f"fact_{number}": str(number) for number in range(9)}}


def subclasses(root):
    """Every class below *root* in domain and services, itself included."""
    for package in (clientela.domain, clientela.services):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found, waiting = [], [root]
    while waiting:
        cls = waiting.pop()
        waiting.extend(cls.__subclasses__())
        if cls.__module__.startswith(("clientela.domain", "clientela.services")):
            found.append(cls)
    return sorted(set(found), key=lambda cls: cls.__qualname__)


def refusal(error):
    """What *error* is answered with."""
    status = status_of(error, "reference-1")
    return told(code_of(status), status)


def test_every_category_has_a_code_of_its_own():
    """
    R19: no category is left to chance, and no two are mixed up.
    """
    assert set(Category) == set(CODES)
    assert len(Category) == len(set(CODES.values()))


@pytest.mark.parametrize("cls", subclasses(DomainError))
def test_every_error_of_the_domain_has_a_code_and_a_reason_of_its_own(cls):
    """
    R19: an error class without its own reason could not be told from another.
    """
    assert cls.category in CODES
    if cls not in CARRIERS:
        assert "reason" in vars(cls)
        assert cls.reason == cls.reason.upper()


def test_no_two_errors_share_a_reason():
    """
    R19: a caller matches on the reason alone.
    """
    reasons = [cls.reason for cls in subclasses(DomainError) if cls not in CARRIERS]

    assert sorted(set(reasons)) == sorted(reasons)


@pytest.mark.parametrize("root", [StoreError, ConflictError, EdgeError])
def test_every_error_of_stores_and_edge_is_told(root):
    """
    R19: a new kind of store failure cannot become INTERNAL unnoticed.
    """
    made = [
        cls.__new__(cls)
        for cls in subclasses(root)
        if cls not in {StoreError, ConflictError, EdgeError}
    ]

    assert all(is_told(error) for error in made)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            InvalidValueError("lines[2].sku", "a code"),
            Refusal(
                "INVALID_ARGUMENT",
                "lines[2].sku: expected a code",
                "INVALID_VALUE",
                {"field": "lines[2].sku", "expected": "a code"},
                fields=("lines[2].sku",),
            ),
        ),
        (
            UnknownError("client", "petra"),
            Refusal("NOT_FOUND", "no client petra", "NOT_FOUND", {"kind": "client", "id": "petra"}),
        ),
        (
            RefusedError("not now", rule="OWN-2", until=AT),
            Refusal(
                "FAILED_PRECONDITION",
                "not now",
                "REFUSED",
                {"rule": "OWN-2", "until": AT.isoformat()},
                rules=("OWN-2",),
            ),
        ),
        (
            EtagMismatchError("ownership", "ownership-4"),
            Refusal(
                "ABORTED",
                "ownership has changed since it was read; read it again",
                "ETAG_MISMATCH",
                {"rule_set": "ownership", "etag": "ownership-4"},
            ),
        ),
        (
            ContendedError(),
            Refusal(
                "ABORTED",
                "this record is changing too fast; try again with the same request id",
                "VERSION_CONFLICT",
                {},
                retry_seconds=0.1,
            ),
        ),
        (
            RateLimitedError(timedelta(seconds=2)),
            Refusal(
                "RESOURCE_EXHAUSTED",
                "this principal calls too often; try again later",
                "RATE_LIMITED",
                {},
                retry_seconds=2.0,
            ),
        ),
        (
            OverloadedError(timedelta(seconds=1)),
            Refusal(
                "RESOURCE_EXHAUSTED",
                "too many calls at once; try again later",
                "OVERLOADED",
                {},
                retry_seconds=1.0,
            ),
        ),
        (
            UnauthenticatedError("expired"),
            Refusal("UNAUTHENTICATED", "no credentials, or none that hold", "UNAUTHENTICATED", {}),
        ),
    ],
)
def test_an_error_is_answered_with_its_data(error, expected):
    """
    AIP-193: one ErrorInfo, the fields of a malformed request, the rule that forbids, the wait.
    """
    assert expected == refusal(error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailableError("db 10.0.0.7 down"), grpc.StatusCode.UNAVAILABLE),
        (StoreUnsuitableError("db 10.0.0.7 is old"), grpc.StatusCode.FAILED_PRECONDITION),
        (DeadlineError(), grpc.StatusCode.DEADLINE_EXCEEDED),
        (ValueError("10.0.0.7"), grpc.StatusCode.INTERNAL),
        (KeyError("10.0.0.7"), grpc.StatusCode.INTERNAL),
    ],
)
def test_the_text_of_a_foreign_error_stays_inside(error, code):
    """
    R19: only what the table says leaves.
    """
    status = status_of(error, "reference-1")

    assert code == code_of(status)
    assert "10.0.0.7" not in str(status)


def test_a_version_conflict_that_slips_out_is_aborted():
    """
    A store's conflict is worth another try, not a fault.
    """
    assert "ABORTED" == refusal(VersionConflictError(client_journal(PETRA))).code


def test_a_repeated_refusal_is_answered_byte_for_byte_the_same():
    """
    OWN-2: the answer to a repeated request is the first answer, whole.
    """
    first = TalkativeError("a colleague looks after this client", rule="OWN-2", until=AT)
    stored = Answer(
        request=Blind("r"),
        fingerprint=NOTHING,
        at=AT,
        versions={},
        reason=first.reason,
        category=first.category.value,
        message=str(first),
        details=dict(reversed(first.details().items())),
    )

    one = status_of(first, "reference-1").SerializeToString(deterministic=True)
    two = status_of(StoredRefusalError(stored), "reference-2").SerializeToString(deterministic=True)

    assert one == two


def test_data_leaves_in_a_fixed_order():
    """
    OWN-2: another process answers the repeat, and its maps have another order.
    """
    error = TalkativeError("not now", rule="OWN-2")
    names = [name.encode() for name in sorted(error.details())]
    raw = status_of(error, "reference-1").details[0].value

    places = [raw.index(name) for name in names]

    assert sorted(places) == places


def test_every_problem_of_a_document_is_a_violation_at_its_place():
    """
    A wrong file is refused whole, each error at its place.
    """
    error = DefinitionsError(
        [Problem("loyalty.rate", "expected a number"), Problem("roles[2]", "unknown role")]
    )

    found = refusal(error)

    assert ("INVALID_ARGUMENT", "DEFINITIONS_INVALID", {"problems": "2"}) == (
        found.code,
        found.reason,
        found.metadata,
    )
    assert ("loyalty.rate", "roles[2]") == found.fields


@pytest.mark.parametrize(
    "error",
    [
        DefinitionsError([Problem(f"models[{n}].{'x' * 300}", "ж" * 300) for n in range(100)]),
        InvalidValueError("x" * 5_000, "ж" * 5_000),
        UnknownError("x" * 5_000, "ж" * 5_000),
        TalkativeError("ж" * 5_000, rule="x" * 5_000),
    ],
    ids=["definitions", "value", "unknown", "refusal"],
)
def test_no_error_outgrows_the_metadata_that_callers_take(error):
    """
    8 KiB are taken everywhere: text, percent-encoded, and details, in base 64, stay within.
    """
    status = status_of(error, "reference-1")

    size = 3 * len(status.message.encode()) + status.ByteSize() * 4 // 3

    assert size < 7 * 1_024


@given(st.text())
def test_clipped_text_is_short_and_begins_alike(text):
    """
    What leaves has a bound in bytes, and is not broken inside a character.
    """
    cut = clipped(text)

    assert len(cut.encode()) <= TEXT_BYTES_MAX
    assert text.encode(errors="replace").decode().startswith(cut.removesuffix("..."))
