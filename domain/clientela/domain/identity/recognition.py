"""
Recognition: which identifiers a client has, and to whom their keys belong (REC-8).

The state holds no keys. A known identifier is found by opening those the client has, at most
`IDENTIFIERS_MAX`, and comparing normal forms; keys are computed where they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clientela.domain.context import Naming
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Key, PendingEvent
from clientela.domain.identity.details import opened
from clientela.domain.identity.identifiers import (
    IDENTIFIERS_MAX,
    AddIdentifier,
    Identifier,
    IdentifierAdded,
    IdentifierRemoved,
    IdentifierSharingChanged,
    NewIdentifier,
    RemoveIdentifier,
    identifier_key,
    normal_form,
)
from clientela.domain.identity.refusals import IdentifierLimitError, IdentifierTakenError
from clientela.domain.ids import ClientId, Code, JournalKind
from clientela.domain.record import Record


Form = tuple[Code, str]
"""Kind and normal form: what two spellings of one identifier have in common."""


def exclusive_keys(identifiers: Iterable[NewIdentifier], naming: Naming) -> tuple[Key, ...]:
    """
    Keys of those *identifiers* that are to be exclusive.

    Raises:
        InvalidValueError: one of these is malformed.
    """
    return tuple(identifier_key(i.kind, i.text, naming) for i in identifiers if not i.shared)


def keys_of(held: Iterable[Identifier], naming: Naming, *, shared: bool = False) -> tuple[Key, ...]:
    """
    Keys of what a client has: those reserved for it, with *shared* those under which it is only
    looked up as well. What no longer opens, or is no identifier any more, has none.
    """
    forms = (_form(each, naming) for each in held if shared or each.exclusive)
    return tuple(naming.key(*form) for form in forms if form is not None)


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
    added: dict[Form, PendingEvent] = {}
    for each in identifiers:
        form = (each.kind, normal_form(each.kind, each.text, naming))
        if form not in added:
            _check_room(len(added))
            key = naming.key(*form)
            added[form] = _added(each, len(added) + 1, key, client_id, record)
    return tuple(added.values())


def add(
    held: Mapping[int, Identifier],
    numbered: int,
    command: AddIdentifier,
    record: Record,
    naming: Naming,
) -> tuple[PendingEvent, ...]:
    """
    One more identifier, or another declaration of one that the client has.

    Args:
        held: What the client has, by number.

        numbered: The last number given.

        command: What to add.

        record: Holders of the keys.

        naming: Opens what is held and makes keys.

    Raises:
        InvalidValueError: it is malformed.

        IdentifierTakenError: another client has it to itself.

        IdentifierLimitError: there are `IDENTIFIERS_MAX` already.
    """
    wanted = command.identifier
    form = normal_form(wanted.kind, wanted.text, naming)
    key = naming.key(wanted.kind, form)
    known = _known(held, wanted.kind, form, naming)
    if known is None:
        _check_room(len(held))
        return (_added(wanted, numbered + 1, key, command.client_id, record),)
    exclusive = not wanted.shared
    if known.exclusive == exclusive:
        return ()
    if exclusive:
        _check_free(key, record)
    changed = IdentifierSharingChanged(
        client_id=command.client_id, number=known.number, exclusive=exclusive
    )
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
    held: Mapping[int, Identifier], command: RemoveIdentifier, naming: Naming
) -> tuple[PendingEvent, ...]:
    """
    One identifier less; nothing when the client has it not.

    Raises:
        InvalidValueError: it is malformed.
    """
    form = normal_form(command.kind, command.text, naming)
    known = _known(held, command.kind, form, naming)
    if known is None:
        return ()
    removed = IdentifierRemoved(
        client_id=command.client_id,
        number=known.number,
        kind=known.kind,
        text=known.text,
        exclusive=known.exclusive,
    )
    release = (naming.key(known.kind, form),) if known.exclusive else ()
    return (PendingEvent(removed, rule="REC-8", because=(known.added,), release=release),)


def _known(
    held: Mapping[int, Identifier], kind: Code, form: str, naming: Naming
) -> Identifier | None:
    """The one of *held* that has this form."""
    alike = (each for each in held.values() if each.kind == kind)
    return next((each for each in alike if _form(each, naming) == (kind, form)), None)


def _form(identifier: Identifier, naming: Naming) -> Form | None:
    text = opened(identifier.text, naming.vault)
    if text is None:
        return None
    try:
        return identifier.kind, naming.forms.normal(identifier.kind, text)
    except InvalidValueError:
        return None


def _added(
    wanted: NewIdentifier, number: int, key: Key, client_id: ClientId, record: Record
) -> PendingEvent:
    if not wanted.shared:
        _check_free(key, record)
    added = IdentifierAdded(
        client_id=client_id,
        number=number,
        kind=wanted.kind,
        text=wanted.text,
        exclusive=not wanted.shared,
    )
    return PendingEvent(added, rule="REC-8", reserve=() if wanted.shared else (key,))


def _check_free(key: Key, record: Record) -> None:
    holder = record.holder(key)
    if holder is not None and holder.ref.journal != record.journal(JournalKind.CLIENT).id:
        raise IdentifierTakenError(key, ClientId(holder.ref.journal.id))


def _check_room(count: int) -> None:
    if count >= IDENTIFIERS_MAX:
        raise IdentifierLimitError(IDENTIFIERS_MAX)
