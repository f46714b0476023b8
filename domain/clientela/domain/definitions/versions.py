"""
Versions: which definitions were in force when.

Versions count from 1. The first one is in force before its own begin as well, so that imported
history has rules; until a company applies one, every section has its defaults and is version 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from clientela.domain.context import Context, Definitions, DefinitionVersion
from clientela.domain.definitions.documents import (
    Digest,
    Document,
    digest,
    document,
    parse,
    plain_of,
)
from clientela.domain.definitions.loading import structured
from clientela.domain.draft import State, state
from clientela.domain.errors import RefusedError
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.ids import DEFINITIONS_JOURNAL, JournalId, JournalKind, Ref
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""From when on the built-in defaults are in force."""


class RetroactiveError(RefusedError):
    """
    Only the first version reaches into the past; a later one would rewrite what was decided.

    Attributes:
        earliest: The earliest moment it may be in force from.
    """

    reason = "DEFINITIONS_RETROACTIVE"

    def __init__(self, earliest: datetime, because: tuple[Ref, ...]) -> None:
        self.earliest = earliest
        super().__init__(
            f"definitions take effect from {earliest.isoformat()} on, not before",
            rule="definitions.effective_from",
            because=because,
        )

    def details(self) -> dict[str, str]:
        """Rule and the earliest moment."""
        return {**super().details(), "earliest": self.earliest.isoformat()}


@attrs.frozen(kw_only=True)
class ApplyDefinitions:
    """
    Put a document in force; it replaces the one before it whole.

    Attributes:
        document: The document; `ApplyDefinitions.of` makes it from TOML.

        effective_from: From when on; None means at once. Only the first version may reach back.

        occurred_at: When it was ordered, if not now.
    """

    document: Document
    effective_from: datetime | None = None
    occurred_at: datetime | None = None

    @classmethod
    def of(cls, text: str, effective_from: datetime | None = None) -> ApplyDefinitions:
        """
        The command for a TOML document.

        Raises:
            DefinitionsError: it is no TOML.
        """
        return cls(document=document(parse(text)), effective_from=effective_from)

    def journals(self) -> tuple[JournalId, ...]:
        """The company's definitions."""
        return (DEFINITIONS_JOURNAL,)


@event("definitions-applied", origin=Origin.DECIDED)
class DefinitionsApplied:
    """
    A version of the company's definitions.

    Attributes:
        number: 1 for the first, then without gaps.

        effective_from: From when on it is in force.

        document: The whole document, canonical.

        digest: Of the document.
    """

    number: int
    effective_from: datetime
    document: Document
    digest: Digest


@state(JournalKind.DEFINITIONS)
class Versions(State):
    """
    Which version is the latest.

    Attributes:
        number: Its number; 0 before the first.

        digest: Of its document.

        effective_from: From when on it is in force.

        applied: The event that applied it.
    """

    number: int = 0
    digest: Digest | None = None
    effective_from: datetime | None = None
    applied: Ref | None = None


def section_types(rule_sets: Iterable[RuleSet]) -> dict[str, type]:
    """The sections a document may hold: one for each rule set that has a definition."""
    return {r.name: r.definition for r in rule_sets if r.definition is not None}


def definitions_of(events: Iterable[RecordedEvent], sections: Mapping[str, type]) -> Definitions:
    """
    All versions that *events* applied; the defaults as version 0 if they applied none.

    Args:
        events: The journal of definitions, in order of version.

        sections: Class of each section by its name. A section of a rule set that is switched off
            is passed over: it was right when it was applied.
    """
    versions = tuple(
        DefinitionVersion(
            applied.number, applied.effective_from, _sections(applied.document, sections)
        )
        for recorded in events
        if isinstance(applied := recorded.event, DefinitionsApplied)
    )
    return Definitions(versions or (DefinitionVersion(0, BEGINNING, {}),))


def _sections(text: Document, sections: Mapping[str, type]) -> dict[type, Any]:
    plain = plain_of(text)
    return structured({name: plain[name] for name in plain if name in sections}, sections)


def definitions_in(
    text: Document, rule_sets: Iterable[RuleSet], effective_from: datetime
) -> Definitions:
    """
    One version of definitions from its document.

    Raises:
        DefinitionsError: anything is wrong with it.
    """
    sections = structured(plain_of(text), section_types(rule_sets))
    return Definitions((DefinitionVersion(1, effective_from, sections),))


def definitions_rule_set(sections: Mapping[str, type]) -> RuleSet:
    """
    The rule set that keeps the definitions of these *sections*.

    Args:
        sections: Class of each section by its name, see `section_types`.
    """

    def decide(
        record: Record, command: ApplyDefinitions, context: Context
    ) -> Iterable[PendingEvent]:
        """
        A further version; nothing if the latest one says the same and is in force by then.

        Raises:
            DefinitionsError: anything is wrong with the document.

            RetroactiveError: it would be in force from before now, and is not the first.
        """
        plain = plain_of(command.document)
        structured(plain, sections)
        return _apply(record.of(Versions), document(plain), command, context)

    return RuleSet(
        name="definitions",
        state=Versions,
        commands=(ApplyDefinitions,),
        events=(DefinitionsApplied,),
        decide=decide,
        evolve=evolve,
        asks=asks,
    )


def _apply(
    versions: Versions, text: Document, command: ApplyDefinitions, context: Context
) -> Iterable[PendingEvent]:
    made = digest(text)
    because = () if versions.applied is None else (versions.applied,)
    effective_from = command.effective_from or context.now
    if made == versions.digest and not _is_brought_forward(versions, effective_from, context.now):
        return ()
    if versions.number and effective_from < context.now:
        raise RetroactiveError(context.now, because)
    applied = DefinitionsApplied(
        number=versions.number + 1, effective_from=effective_from, document=text, digest=made
    )
    return (PendingEvent(applied, rule="definitions.apply", because=because),)


def _is_brought_forward(versions: Versions, effective_from: datetime, now: datetime) -> bool:
    """Whether the latest version is still to come, and wanted earlier."""
    planned = versions.effective_from
    return planned is not None and planned > now and effective_from < planned


def evolve(draft: Versions, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    applied: DefinitionsApplied = recorded.event
    draft.number = applied.number
    draft.digest = applied.digest
    draft.effective_from = applied.effective_from
    draft.applied = recorded.ref


def asks(recorded: RecordedEvent) -> ApplyDefinitions:
    """The command behind an applied version."""
    applied: DefinitionsApplied = recorded.event
    return ApplyDefinitions(
        document=applied.document,
        effective_from=applied.effective_from,
        occurred_at=recorded.occurred_at,
    )
