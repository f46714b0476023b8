"""
Details of a client: names, market, language; every one of them may be unknown (REC-7, REC-12).

They change field by field; a change tells before and after of what changed and of nothing else.
"""

from __future__ import annotations

import enum
import re

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.context import Naming
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.identity.market import check_market
from clientela.domain.identity.terms import name_tokens
from clientela.domain.ids import Blind, ClientId, Code, JournalId, Ref, client_journal
from clientela.domain.personal import Personal, PersonalText, Sealed, Vault


class ClientKind(enum.Enum):
    """What a client is; a person is a private client, an organisation a corporate one (REC-12)."""

    PERSON = "person"
    ORGANISATION = "organisation"


class Standing(enum.Enum):
    """Where a client stands with the company (REC-7)."""

    PROSPECT = "prospect"
    """Has bought nothing yet, perhaps was never even in contact."""

    CLIENT = "client"


NAME_LENGTH_MAX = 256

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)


@attrs.frozen(kw_only=True)
class Details:
    """
    What is known about a client besides its identifiers; None where nothing is.

    Attributes:
        name: The whole name, as the client writes it; personal, 1 to `NAME_LENGTH_MAX` characters.

        given_name: By which a person is addressed; personal, likewise.

        family_name: Personal, likewise.

        market: One of `market.MARKETS`.

        language: Tag of the language the client prefers, for instance `ru` or `pt-BR` (BCP 47).
    """

    name: PersonalText | None = None
    given_name: PersonalText | None = None
    family_name: PersonalText | None = None
    market: Code | None = None
    language: Code | None = None


NAMES = (Code("name"), Code("given_name"), Code("family_name"))
"""Fields of `Details` that a client is found by."""

FIELDS = (*NAMES, Code("market"), Code("language"))
"""All fields of `Details`."""


@attrs.frozen(kw_only=True)
class UpdateClient:
    """
    Something else is known of a client; the fields that are not named stay.

    Attributes:
        client_id: The client.

        details: The new values.

        fields: Names of the fields of `Details` to take; one that is None in *details* is cleared.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    details: Details
    fields: tuple[Code, ...]
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


@event("client-updated", origin=Origin.RECORDED)
class ClientUpdated:
    """
    What is known of a client changed.

    Attributes:
        client_id: The client.

        fields: Names of the fields that changed, one or more.

        before: Those fields as they were, nothing in the others.

        after: Those fields as they are, nothing in the others.
    """

    client_id: ClientId
    fields: tuple[Code, ...]
    before: Details
    after: Details


def check_details(details: Details) -> None:
    """
    Check every field that says something.

    Raises:
        InvalidValueError: a name is blank or too long, the market is not listed, the language is
            no tag; the field is named, the value is not.
    """
    for field in NAMES:
        name = getattr(details, field)
        if isinstance(name, Personal) and not _is_name(name.text):
            raise InvalidValueError(field, f"a text of 1 to {NAME_LENGTH_MAX} characters")
    check_market(details.market)
    if details.language is not None and not _LANGUAGE.fullmatch(details.language):
        raise InvalidValueError("language", "a language tag, such as ru or pt-BR")


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= NAME_LENGTH_MAX


def update(
    held: Details, registered: Ref, command: UpdateClient, vault: Vault
) -> tuple[PendingEvent, ...]:
    """
    The change, or nothing when all of it is so already.

    Args:
        held: What is known.

        registered: The event that registered the client.

        command: What is to change.

        vault: Opens what is known.

    Raises:
        InvalidValueError: a field is unknown or its value malformed.
    """
    if not set(command.fields) <= set(FIELDS):
        raise InvalidValueError("fields", f"some of {', '.join(FIELDS)}")
    wanted = tuple(field for field in FIELDS if field in command.fields)
    check_details(only(command.details, wanted))
    fields = tuple(f for f in wanted if _differs(held, command.details, f, vault))
    if not fields:
        return ()
    updated = ClientUpdated(
        client_id=command.client_id,
        fields=fields,
        before=only(held, fields),
        after=only(command.details, fields),
    )
    return (PendingEvent(updated, rule="REC-1", because=(registered,)),)


def tokens(details: Details, naming: Naming) -> tuple[Blind, ...]:
    """
    Tokens under which a client of these *details* is found by name; none once it is erased.

    They go into look-ups that can be thrown away, never into events or states.
    """
    names = (getattr(details, field) for field in NAMES)
    texts = (opened(name, naming.vault) for name in names if name is not None)
    return name_tokens((text for text in texts if text is not None), naming)


def only(details: Details, fields: Iterable[Code]) -> Details:
    """*details* with nothing in it but *fields*."""
    return overlaid(Details(), details, fields)


def overlaid(details: Details, other: Details, fields: Iterable[Code]) -> Details:
    """*details* with *fields* taken from *other*."""
    return attrs.evolve(details, **{field: getattr(other, field) for field in fields})


def _differs(held: Details, wanted: Details, field: Code, vault: Vault) -> bool:
    before, after = getattr(held, field), getattr(wanted, field)
    if before is None or after is None:
        return before is not after
    return opened(before, vault) != opened(after, vault)


def opened(value: PersonalText | Code, vault: Vault) -> str | None:
    """What *value* says; None when the person was erased."""
    if isinstance(value, Sealed):
        return vault.open(value)
    return value.text if isinstance(value, Personal) else value
