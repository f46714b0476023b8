"""
Identifiers: phones, e-mail addresses, tax ids by which a client is recognised (REC-8).

It is compared by its normal form. An exclusive one, the default, belongs to one client in the whole
company; one declared shared (a switchboard, a family's phone) blocks nobody.
"""

from __future__ import annotations

import re

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from clientela.domain.context import Naming
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Key, Origin, PendingEvent, event
from clientela.domain.identity.refusals import IdentifierLimitError, IdentifierTakenError
from clientela.domain.ids import ClientId, Code, JournalId, JournalKind, Ref, client_journal
from clientela.domain.personal import Personal, PersonalText
from clientela.domain.record import Record


PHONE = Code("phone")
EMAIL = Code("email")
TAX_ID = Code("tax-id")

IDENTIFIERS_MAX = 50
"""Identifiers of one client."""

IDENTIFIER_LENGTH_MAX = 320

OTHER_SCOPES = frozenset({"card", "client", "interaction", "name", "purchase", "return"})
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
        key: Kind and keyed hash of the normal form.

        text: As it was given; personal.

        exclusive: Whether the key is reserved for this client.

        added: The event that added it or last declared whether it is shared.
    """

    key: Key
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

        key: Kind and keyed hash of the normal form; what look-ups go by, shared or not.

        text: As it was given; personal.

        exclusive: Whether the key is reserved for this client.
    """

    client_id: ClientId
    key: Key
    text: PersonalText
    exclusive: bool


@event("identifier-sharing-changed", origin=Origin.RECORDED)
class IdentifierSharingChanged:
    """
    An identifier was declared shared, or no longer shared (REC-8).

    Attributes:
        client_id: The client.

        key: Which identifier.

        exclusive: Whether the key is reserved for this client from now on.
    """

    client_id: ClientId
    key: Key
    exclusive: bool


@event("identifier-removed", origin=Origin.RECORDED)
class IdentifierRemoved:
    """
    A client is no longer known by an identifier.

    Attributes:
        client_id: The client.

        key: Kind and keyed hash of the normal form.

        text: As it had been given; personal.

        exclusive: Whether the key was reserved for this client and is free now.
    """

    client_id: ClientId
    key: Key
    text: PersonalText
    exclusive: bool


def identifier_key(kind: Code, text: Personal, naming: Naming) -> Key:
    """
    The key under which an identifier is reserved and looked up.

    Raises:
        InvalidValueError: *kind* is no kind, or *text* is no identifier of it.
    """
    if not _KIND.fullmatch(kind) or kind in OTHER_SCOPES:
        raise InvalidValueError("kind", "a kind of identifier, such as phone, email or tax-id")
    if not text.text.strip() or len(text.text) > IDENTIFIER_LENGTH_MAX:
        raise InvalidValueError(kind, f"a text of 1 to {IDENTIFIER_LENGTH_MAX} characters")
    return naming.key(kind, naming.forms.normal(kind, text.text))


def exclusive_keys(identifiers: Iterable[NewIdentifier], naming: Naming) -> tuple[Key, ...]:
    """Keys of those *identifiers* that are to be exclusive."""
    return tuple(identifier_key(i.kind, i.text, naming) for i in identifiers if not i.shared)


def add_first(
    identifiers: Iterable[NewIdentifier], client_id: ClientId, record: Record, naming: Naming
) -> tuple[PendingEvent, ...]:
    """
    The identifiers a client is registered with; of two spellings of one the first counts.

    Raises:
        InvalidValueError: one is malformed.

        IdentifierTakenError: another client has one to itself.

        IdentifierLimitError: they are more than `IDENTIFIERS_MAX`.
    """
    added: dict[Key, PendingEvent] = {}
    for each in identifiers:
        key = identifier_key(each.kind, each.text, naming)
        if key not in added:
            _check_room(len(added))
            added[key] = _added(each, key, client_id, record)
    return tuple(added.values())


def add(
    held: Mapping[Key, Identifier], command: AddIdentifier, record: Record, naming: Naming
) -> tuple[PendingEvent, ...]:
    """
    One more identifier, or another declaration of one that the client has.

    Raises:
        InvalidValueError: it is malformed.

        IdentifierTakenError: another client has it to itself.

        IdentifierLimitError: there are `IDENTIFIERS_MAX` already.
    """
    wanted = command.identifier
    key = identifier_key(wanted.kind, wanted.text, naming)
    known = held.get(key)
    if known is None:
        _check_room(len(held))
        return (_added(wanted, key, command.client_id, record),)
    exclusive = not wanted.shared
    if known.exclusive == exclusive:
        return ()
    if exclusive:
        _check_free(key, record)
    changed = IdentifierSharingChanged(client_id=command.client_id, key=key, exclusive=exclusive)
    return (
        PendingEvent(
            changed,
            rule="REC-8",
            because=(known.added,),
            reserve=(key,) if exclusive else (),
            release=() if exclusive else (key,),
        ),
    )


def remove(
    held: Mapping[Key, Identifier], command: RemoveIdentifier, naming: Naming
) -> tuple[PendingEvent, ...]:
    """
    One identifier less; nothing when the client has it not.

    Raises:
        InvalidValueError: it is malformed.
    """
    known = held.get(identifier_key(command.kind, command.text, naming))
    if known is None:
        return ()
    removed = IdentifierRemoved(
        client_id=command.client_id, key=known.key, text=known.text, exclusive=known.exclusive
    )
    release = (known.key,) if known.exclusive else ()
    return (PendingEvent(removed, rule="REC-8", because=(known.added,), release=release),)


def _added(wanted: NewIdentifier, key: Key, client_id: ClientId, record: Record) -> PendingEvent:
    if not wanted.shared:
        _check_free(key, record)
    added = IdentifierAdded(
        client_id=client_id, key=key, text=wanted.text, exclusive=not wanted.shared
    )
    return PendingEvent(added, rule="REC-8", reserve=() if wanted.shared else (key,))


def _check_free(key: Key, record: Record) -> None:
    holder = record.holder(key)
    if holder is not None and holder.ref.journal != record.journal(JournalKind.CLIENT).id:
        raise IdentifierTakenError(key, ClientId(holder.ref.journal.id))


def _check_room(count: int) -> None:
    if count >= IDENTIFIERS_MAX:
        raise IdentifierLimitError(IDENTIFIERS_MAX)
