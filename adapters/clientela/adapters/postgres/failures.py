"""
What an error of the database means for whoever caused it.

    CLAIM   23..., 22...            a claim does not hold, or a row contradicts what is stored
    AGAIN   40001, 40P01, 55P03     nothing is wrong: the whole of it is tried again
    GONE    everything else         the database cannot be used now
"""

from __future__ import annotations

import enum

import asyncpg

from clientela.services.store_errors import StoreUnavailableError


class Failure(enum.Enum):
    """What to do about an error."""

    CLAIM = enum.auto()
    """Nothing was written; find out whose claim it was."""

    AGAIN = enum.auto()
    """Nothing was written; try the whole of it again."""

    GONE = enum.auto()
    """It is not known what was written; this connection is not used any more."""


CLAIM_CLASSES = frozenset({"22", "23"})
"""Classes of SQLSTATE: data exceptions, among them the division that fails with a claim; and
violated constraints."""

AGAIN_STATES = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock not to be had in time."""

MISSING_STATES = frozenset({"42P01", "42703", "3F000"})
"""A table, column or schema is not there."""

Errors = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Whatever the driver raises."""


def failure_of(error: BaseException) -> Failure:
    """What to do about *error*."""
    state = state_of(error)
    if state in AGAIN_STATES:
        return Failure.AGAIN
    return Failure.CLAIM if state[:2] in CLAIM_CLASSES else Failure.GONE


def state_of(error: BaseException) -> str:
    """SQLSTATE of *error*; empty if it has none."""
    return str(getattr(error, "sqlstate", None) or "")


def unavailable(error: BaseException) -> StoreUnavailableError:
    """What callers learn of an error; its text, which may hold rows, stays here."""
    if isinstance(error, StoreUnavailableError):
        found = StoreUnavailableError(str(error))
    else:
        name = " ".join(filter(None, (type(error).__name__, state_of(error))))
        found = StoreUnavailableError(f"the database cannot be used: {name}")
    found.__cause__ = error
    return found
