"""
Identifiers: phones, e-mail addresses, tax ids by which a client is recognised (REC-8).

It is compared by its normal form. An exclusive one, the default, belongs to one client in the whole
company; one declared shared (a switchboard, a family's phone) blocks nobody. Events and state name
an identifier by its number, since the journal outlasts erasure and a keyed hash must not.
"""

from __future__ import annotations

import re

from datetime import datetime

import attrs

from clientela.domain.context import Naming
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Key, Origin, RecordedEvent, event
from clientela.domain.ids import ClientId, Code, JournalId, Ref, client_journal
from clientela.domain.personal import Personal, PersonalText


PHONE = Code("phone")
EMAIL = Code("email")
TAX_ID = Code("tax-id")

IDENTIFIERS_MAX = 50
"""Identifiers of one client."""

IDENTIFIER_LENGTH_MAX = 320

OTHER_SCOPES = frozenset(
    {
        "adjustment",
        "card",
        "client",
        "forwarded-return",
        "interaction",
        "name",
        "purchase",
        "return",
        "spend",
    }
)
"""Scopes of keys that are no identifiers; no kind of identifier may be called so."""

_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


@attrs.frozen(kw_only=True)
class NewIdentifier:
    """
    An identifier as a caller gives it.

    Attributes:
        kind: `phone`, `email`, `tax-id` or a company's own: a-z, 0-9 and hyphens, at most 32.

        text: As the client writes it, at most `IDENTIFIER_LENGTH_MAX` characters; personal.

        shared: Whether other clients may have it too.
    """

    kind: Code
    text: Personal
    shared: bool = False


@attrs.frozen(kw_only=True)
class Identifier:
    """
    An identifier that a client has.

    Attributes:
        number: Which of the client's, from 1; never another one's.

        kind: `phone`, `email`, `tax-id` or a company's own.

        text: As it was given; personal.

        exclusive: Whether its key is reserved for this client.

        added: The event that added it or last declared whether it is shared.
    """

    number: int
    kind: Code
    text: PersonalText
    exclusive: bool
    added: Ref


@attrs.frozen(kw_only=True)
class AddIdentifier:
    """
    A client is also known by this; given once more with another `shared`, it is declared anew.

    Attributes:
        client_id: The client.

        identifier: By what.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    identifier: NewIdentifier
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


@attrs.frozen(kw_only=True)
class RemoveIdentifier:
    """
    A client is no longer known by this; an exclusive identifier becomes free.

    Attributes:
        client_id: The client.

        kind: Kind of the identifier.

        text: The identifier in any spelling; personal.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    kind: Code
    text: Personal
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


@event("identifier-added", origin=Origin.RECORDED)
class IdentifierAdded:
    """
    A client is known by an identifier from now on (REC-8).

    Attributes:
        client_id: The client.

        number: Which of the client's, from 1 without gaps; never used again.

        kind: `phone`, `email`, `tax-id` or a company's own.

        text: As it was given; personal.

        exclusive: Whether its key is reserved for this client.
    """

    client_id: ClientId
    number: int
    kind: Code
    text: PersonalText
    exclusive: bool


@event("identifier-sharing-changed", origin=Origin.RECORDED)
class IdentifierSharingChanged:
    """
    An identifier was declared shared, or no longer shared (REC-8).

    Attributes:
        client_id: The client.

        number: Which of the client's.

        exclusive: Whether its key is reserved for this client from now on.
    """

    client_id: ClientId
    number: int
    exclusive: bool


@event("identifier-removed", origin=Origin.RECORDED)
class IdentifierRemoved:
    """
    A client is no longer known by an identifier.

    Attributes:
        client_id: The client.

        number: Which of the client's it was.

        kind: `phone`, `email`, `tax-id` or a company's own.

        text: As it had been given; personal.

        exclusive: Whether its key was reserved for this client and is free now.
    """

    client_id: ClientId
    number: int
    kind: Code
    text: PersonalText
    exclusive: bool


def normal_form(kind: Code, text: Personal, naming: Naming) -> str:
    """
    The form in which an identifier is compared.

    Raises:
        InvalidValueError: *kind* is no kind, or *text* is no identifier of it.
    """
    if not _KIND.fullmatch(kind) or kind in OTHER_SCOPES:
        raise InvalidValueError("kind", "a kind of identifier, such as phone, email or tax-id")
    if not text.text.strip() or len(text.text) > IDENTIFIER_LENGTH_MAX:
        raise InvalidValueError(kind, f"a text of 1 to {IDENTIFIER_LENGTH_MAX} characters")
    return naming.forms.normal(kind, text.text)


def identifier_key(kind: Code, text: Personal, naming: Naming) -> Key:
    """
    The key under which an identifier is reserved and looked up.

    Raises:
        InvalidValueError: *kind* is no kind, or *text* is no identifier of it.
    """
    return naming.key(kind, normal_form(kind, text, naming))


def fold(held: dict[int, Identifier], recorded: RecordedEvent) -> None:
    """Change *held*, a client's identifiers by number, as an event says; any other changes none."""
    match recorded.event:
        case IdentifierAdded(number=number) as added:
            held[number] = Identifier(
                number=number,
                kind=added.kind,
                text=added.text,
                exclusive=added.exclusive,
                added=recorded.ref,
            )
        case IdentifierSharingChanged(number=number) as declared if number in held:
            held[number] = attrs.evolve(
                held[number], exclusive=declared.exclusive, added=recorded.ref
            )
        case IdentifierRemoved(number=number):
            held.pop(number, None)
        case _:
            pass
