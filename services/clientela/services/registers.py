"""
Registers of units and employees: read models for lists.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from clientela.domain.context import Naming
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalKind
from clientela.services.read_models import ReadModel, Term


ALL: Term = ("all", "")
"""Of every row."""


@attrs.frozen(kw_only=True)
class Listed:
    """
    That something of this id exists; what it is stands in its journal.

    Attributes:
        id: Its id.
    """

    id: str


def _evolve(listed: Listed | None, recorded: RecordedEvent) -> Listed:
    return listed or Listed(id=recorded.journal.id)


def _terms(_listed: Listed, _naming: Naming) -> Iterable[Term]:
    return (ALL,)


def _register(name: str, kind: JournalKind) -> ReadModel:
    return ReadModel(
        name=name,
        state=Listed,
        key=lambda recorded: recorded.journal.id if recorded.journal.kind is kind else None,
        evolve=_evolve,
        terms=_terms,
    )


UNIT_REGISTER = _register("units.v1", JournalKind.UNIT)
"""Every unit, by id."""

EMPLOYEE_REGISTER = _register("employees.v1", JournalKind.EMPLOYEE)
"""Every employee, by id."""
