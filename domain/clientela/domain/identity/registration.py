"""
Registration: a person or an organisation enters the base, once for the whole company.

A record needs no purchase and no contact (REC-7), and keeps its id for ever (REC-1). The ids that
other systems gave it are business identities: reserved for ever, erasure included, so that a second
import of an erased client brings nothing back.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.errors import InvalidCommandError, InvalidValueError
from clientela.domain.event import Key, Origin, PendingEvent, event
from clientela.domain.facts import BusinessKey
from clientela.domain.identity.details import (
    ClientKind,
    Details,
    Standing,
    check_details,
)
from clientela.domain.identity.identifiers import NewIdentifier
from clientela.domain.identity.recognition import add_first
from clientela.domain.identity.refusals import AlreadyRegisteredError, SourceTakenError
from clientela.domain.ids import (
    ID_LENGTH_MAX,
    ClientId,
    JournalId,
    JournalKind,
    Ref,
    client_journal,
    is_id,
)
from clientela.domain.record import Record


REFERENCES_MAX = 20
"""Ids of other systems that one client is registered with."""


@attrs.frozen(kw_only=True)
class RegisterClient:
    """
    A person or an organisation enters the base (REC-1, REC-7).

    Attributes:
        client_id: Its id, chosen by the caller, for ever.

        kind: Person or organisation.

        standing: Client, or prospect until the first purchase.

        details: What is known of it.

        identifiers: By what it is recognised, at most 50.

        source: What the system it comes from calls it. Reserved for ever; who registers it once
            more changes nothing.

        references: What further systems call it, at most `REFERENCES_MAX`; reserved likewise.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    kind: ClientKind = ClientKind.PERSON
    standing: Standing = Standing.CLIENT
    details: Details = attrs.field(factory=Details)
    identifiers: tuple[NewIdentifier, ...] = ()
    source: BusinessKey | None = None
    references: tuple[BusinessKey, ...] = ()
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)

    @property
    def sources(self) -> tuple[BusinessKey, ...]:
        """Every id another system gave, each once, the one it comes from first."""
        first = () if self.source is None else (self.source,)
        return tuple(dict.fromkeys((*first, *self.references)))


@event("client-registered", origin=Origin.RECORDED)
class ClientRegistered:
    """
    A client or prospect entered the base (REC-1, REC-7); its identifiers follow in the same append.

    Attributes:
        client_id: Its id for ever.

        kind: Person or organisation.

        standing: Client or prospect.

        details: What was known of it; names are personal.

        sources: What other systems call it.
    """

    client_id: ClientId
    kind: ClientKind
    standing: Standing
    details: Details = attrs.field(factory=Details)
    sources: tuple[BusinessKey, ...] = ()


def source_keys(command: RegisterClient, naming: Naming) -> tuple[Key, ...]:
    """Keys of the ids that other systems gave, the one it comes from first."""
    return tuple(naming.business_key("client", s.source, s.id) for s in command.sources)


def register(
    registered: Ref | None, record: Record, command: RegisterClient, context: Context
) -> tuple[PendingEvent, ...]:
    """
    Registration with all identifiers; nothing when the same source registered the same before.

    Args:
        registered: The event that registered the client before, if one did.

        record: Its journal, and the holders of the keys.

        command: What to register.

        context: Normal forms and keys.

    Raises:
        InvalidValueError: a value is malformed.

        InvalidCommandError: too many references.

        AlreadyRegisteredError: the client is registered, and not by the same source id.

        MismatchError: the same source id was registered with other values.

        SourceTakenError: another client bears a source id.

        IdentifierTakenError: another client has an identifier to itself.

        IdentifierLimitError: too many identifiers.
    """
    reserved = source_keys(command, context)
    if _is_repeat(record, command, reserved, context):
        return ()
    if registered is not None:
        raise AlreadyRegisteredError(command.client_id)
    _check(command)
    event = ClientRegistered(
        client_id=command.client_id,
        kind=command.kind,
        standing=command.standing,
        details=command.details,
        sources=command.sources,
    )
    rule = "REC-7" if command.standing is Standing.PROSPECT else "REC-1"
    return (
        PendingEvent(event, rule=rule, reserve=reserved),
        *add_first(command.identifiers, command.client_id, record, context),
    )


def _is_repeat(
    record: Record, command: RegisterClient, reserved: tuple[Key, ...], context: Context
) -> bool:
    """Whether this client came from this source before, with the same values."""
    for key in reserved:
        holder = record.holder(key)
        if holder is not None and holder.ref.journal != record.journal(JournalKind.CLIENT).id:
            raise SourceTakenError(key, ClientId(holder.ref.journal.id))
    return command.source is not None and record.is_done(
        reserved[0], JournalKind.CLIENT, context.fingerprint
    )


def _check(command: RegisterClient) -> None:
    if not is_id(command.client_id):
        raise InvalidValueError("client_id", f"1 to {ID_LENGTH_MAX} of A-Z, a-z, 0-9, - and _")
    if len(command.references) > REFERENCES_MAX:
        msg = f"at most {REFERENCES_MAX} references"
        raise InvalidCommandError(msg)
    check_details(command.details)
