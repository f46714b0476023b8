"""
The errors of the domain. Each concept adds its own refusals beside its rules.

    DomainError
      + InvalidValueError             a value is malformed          INVALID
        - CurrencyMismatchError       two currencies in one sum     INVALID
      + InvalidCommandError           a command contradicts itself  INVALID
      + UnknownError                  the thing named is not there  MISSING
      + RefusedError                  a rule forbids                RULE
      + KeyTakenError                 somebody else holds the key   TAKEN

A `RefusedError` says which rule, on which facts, and when the ground for it ends, so that the
edge can tell a caller what to do without matching on text.
"""

from __future__ import annotations

import enum

from datetime import datetime
from typing import TYPE_CHECKING

from clientela.domain.ids import Ref


if TYPE_CHECKING:
    from clientela.domain.event import Key, PendingEvent


class Category(enum.Enum):
    """What kind of failure it is; the edge has one table from here to its own codes."""

    INVALID = "invalid"
    """Malformed; the same request can never succeed."""

    MISSING = "missing"
    """The thing named does not exist, or the caller may not know that it does."""

    TAKEN = "taken"
    """It exists already."""

    RULE = "rule"
    """A rule forbids it in the present state."""

    LIMIT = "limit"
    """A cap is reached."""

    CONFLICT = "conflict"
    """Somebody else was faster; read again and decide anew."""

    FORBIDDEN = "forbidden"
    """The principal may not do this."""


class DomainError(Exception):
    """
    Root of all errors a caller can bring about.

    Attributes:
        reason: Stable code in capitals; the same for ever.

        category: What kind of failure it is.
    """

    reason: str = "DOMAIN_ERROR"
    category: Category = Category.INVALID

    def details(self) -> dict[str, str]:
        """The error's data for the edge: ids, codes, counts and moments; never personal values."""
        return {}


class InvalidValueError(DomainError):
    """
    A value of a command is malformed.

    Attributes:
        field: Which one.

        expected: What it should be.
    """

    reason = "INVALID_VALUE"

    def __init__(self, field: str, expected: str) -> None:
        self.field = field
        self.expected = expected
        super().__init__(f"{field}: expected {expected}")

    def details(self) -> dict[str, str]:
        """Field and expectation."""
        return {"field": self.field, "expected": self.expected}


class CurrencyMismatchError(InvalidValueError):
    """Two currencies meet in one sum (loyalty invariant 24)."""

    reason = "CURRENCY_MISMATCH"

    def __init__(self, left: str, right: str) -> None:
        self.left = left
        self.right = right
        super().__init__("currency", f"{left}, not {right}")


class InvalidCommandError(DomainError):
    """
    A command contradicts itself, whatever the state.

    Attributes:
        problem: What is wrong, in words that hold no values.
    """

    reason = "INVALID_COMMAND"

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class UnknownError(DomainError):
    """
    The thing named is not there.

    Attributes:
        kind: What kind of thing.

        id: Its id as given.
    """

    reason = "NOT_FOUND"
    category = Category.MISSING

    def __init__(self, kind: str, id: str) -> None:  # noqa: A002 (the field's name)
        self.kind = kind
        self.id = id
        super().__init__(f"no {kind} {id}")

    def details(self) -> dict[str, str]:
        """Kind and id."""
        return {"kind": self.kind, "id": self.id}


class RefusedError(DomainError):
    """
    A rule forbids it in the present state.

    Attributes:
        rule: Catalogue id of the rule.

        because: The facts it rests on; without them the answer would differ.

        until: When the ground ends by itself; None if it does not.

        leaves: Events that are recorded all the same, for instance that an approach was refused.
    """

    reason = "REFUSED"
    category = Category.RULE

    def __init__(
        self,
        message: str,
        *,
        rule: str,
        because: tuple[Ref, ...] = (),
        until: datetime | None = None,
        leaves: tuple[PendingEvent, ...] = (),
    ) -> None:
        self.rule = rule
        self.because = because
        self.until = until
        self.leaves = leaves
        super().__init__(message)

    def details(self) -> dict[str, str]:
        """Rule and end, if any."""
        until = {"until": self.until.isoformat()} if self.until else {}
        return {"rule": self.rule, **until}


class KeyTakenError(DomainError):
    """
    Somebody else holds the key: an identifier of another client, a card number in use.

    Attributes:
        key: Which one.
    """

    reason = "KEY_TAKEN"
    category = Category.TAKEN

    def __init__(self, key: Key) -> None:
        self.key = key
        super().__init__(f"this {key.scope} is already in use")

    def details(self) -> dict[str, str]:
        """The kind of key."""
        return {"scope": self.key.scope}
