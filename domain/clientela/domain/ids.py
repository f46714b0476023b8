"""
Identifiers and codes: the only plain strings a stored fact may hold.

Free text is personal unless its type is an id or a code; a field of plain `str` in an event is
refused by `tests/domain/test_events.py`.
"""

from __future__ import annotations

import enum
import re

from typing import NewType

import attrs


ClientId = NewType("ClientId", str)
"""Canonical id of a client, 1 to 64 characters of [A-Za-z0-9_-]; never derived from a name."""

WalletId = NewType("WalletId", str)
"""Id of a holder of points and terms. A client's own wallet bears the client's id."""

UnitId = NewType("UnitId", str)
"""Id of a branch or department."""

EmployeeId = NewType("EmployeeId", str)
"""Id of a member of staff."""

PrincipalId = NewType("PrincipalId", str)
"""Id of whoever acts: an employee, a service, a client or a partner."""

Code = NewType("Code", str)
"""A word of a controlled list or of another system's catalogue (reason, SKU, stage), not prose."""

BusinessId = NewType("BusinessId", str)
"""The id another system gave to something that happened (receipt number, call id)."""

EventId = NewType("EventId", str)
"""Id of one recorded event."""

Blind = NewType("Blind", str)
"""A keyed hash: compares equal for equal values, tells nothing without the key."""

ID_LENGTH_MAX = 64
CODE_LENGTH_MAX = 128

_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{ID_LENGTH_MAX}}}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether *text* can name a journal: 1 to `ID_LENGTH_MAX` characters of [A-Za-z0-9_-]."""
    return _ID.fullmatch(text) is not None


class JournalKind(enum.Enum):
    """The kinds of journal; a command names at most one journal of each."""

    CLIENT = "client"
    WALLET = "wallet"
    UNIT = "unit"
    EMPLOYEE = "employee"
    DEFINITIONS = "definitions"
    QUOTA = "quota"
    DRAW = "draw"

    # Members are single: identity is their hash, and every look-up of a journal asks for it.
    __hash__ = object.__hash__


@attrs.frozen(order=True)
class JournalId:
    """
    Names one journal.

    Attributes:
        kind: What the journal is about.

        id: Which one; unique within the kind.
    """

    kind: JournalKind = attrs.field(order=lambda kind: kind.value)
    id: str

    def __str__(self) -> str:
        return f"{self.kind._value_}/{self.id}"


def client_journal(client_id: ClientId) -> JournalId:
    """The journal of a client."""
    return JournalId(JournalKind.CLIENT, client_id)


def wallet_journal(wallet_id: WalletId) -> JournalId:
    """The journal of a wallet."""
    return JournalId(JournalKind.WALLET, wallet_id)


def unit_journal(unit_id: UnitId) -> JournalId:
    """The journal of a unit."""
    return JournalId(JournalKind.UNIT, unit_id)


def employee_journal(employee_id: EmployeeId) -> JournalId:
    """The journal of an employee."""
    return JournalId(JournalKind.EMPLOYEE, employee_id)


def own_journals(person: JournalId) -> tuple[JournalId, ...]:
    """The journals of a person: the one that names them, and that of a client's own wallet."""
    if person.kind is not JournalKind.CLIENT:
        return (person,)
    return (person, wallet_journal(WalletId(person.id)))


DEFINITIONS_JOURNAL = JournalId(JournalKind.DEFINITIONS, "company")
"""The one journal of definitions a company has."""


@attrs.frozen(order=True)
class Ref:
    """
    Points at one event of one journal; how an explanation names its facts.

    Attributes:
        journal: The journal.

        version: The event's version in it, 1 or more.
    """

    journal: JournalId
    version: int

    def __str__(self) -> str:
        journal = self.journal
        return f"{journal.kind._value_}/{journal.id}@{self.version}"
