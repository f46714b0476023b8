"""
Profile: who a client is, from registration to erasure; the rule set of identity.

Nothing here depends on definitions, so every event but the change of standing is of origin
recorded: a backtest keeps them. Erasure leaves id, kind, standing and source ids, which are no
personal values, and refuses every later command. The journal outlasts it, so no event and no state
holds a keyed hash: keys are rows beside the journal, tokens of names are made by a read model.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.draft import State, state
from clientela.domain.errors import UnknownError
from clientela.domain.event import Key, Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import BusinessKey, ClientErased, PurchaseRecorded
from clientela.domain.identity.details import (
    ClientKind,
    ClientUpdated,
    Details,
    Standing,
    UpdateClient,
    overlaid,
    update,
)
from clientela.domain.identity.identifiers import (
    AddIdentifier,
    Identifier,
    IdentifierAdded,
    IdentifierRemoved,
    IdentifierSharingChanged,
    RemoveIdentifier,
    fold,
)
from clientela.domain.identity.recognition import add, exclusive_keys, keys_of, remove
from clientela.domain.identity.refusals import ErasedClientError
from clientela.domain.identity.registration import (
    ClientRegistered,
    RegisterClient,
    register,
    source_keys,
)
from clientela.domain.ids import (
    ClientId,
    Code,
    JournalId,
    JournalKind,
    Ref,
    client_journal,
    own_journals,
)
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


@attrs.frozen(kw_only=True)
class EraseClient:
    """
    The personal values of a client are to be destroyed at the client's request.

    Attributes:
        client_id: The client.

        act: Number of the act of erasure.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    act: Code
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's and that of the client's own wallet, whose cards end with it."""
        return own_journals(client_journal(self.client_id))


Command = RegisterClient | UpdateClient | AddIdentifier | RemoveIdentifier | EraseClient


@event("client-standing-changed", origin=Origin.DERIVED)
class ClientStandingChanged:
    """
    A prospect bought for the first time and is a client, under the same id (REC-7).

    Attributes:
        client_id: The client.

        before: Standing until now.

        after: Standing from now on.
    """

    client_id: ClientId
    before: Standing
    after: Standing


@state(JournalKind.CLIENT)
class Profile(State):
    """
    Who the client is.

    Attributes:
        client_id: Its id; None until it is registered.

        kind: Person or organisation; None until it is registered.

        standing: Client or prospect; None until it is registered.

        details: What is known of it; nothing after erasure.

        identifiers: By what it is recognised, by number; empty after erasure.

        numbered: The last number that an identifier was given.

        known_by: Kinds of identifiers it ever had, in order; empty after erasure.

        sources: What other systems call it; no personal values, so that they outlast erasure.

        registered: The event that registered it.

        registered_at: When that was.

        erased: The event of its erasure.

        erased_at: When that was.
    """

    client_id: ClientId | None = None
    kind: ClientKind | None = None
    standing: Standing | None = None
    details: Details = attrs.field(factory=Details)
    identifiers: dict[int, Identifier] = attrs.field(factory=dict[int, Identifier])
    numbered: int = 0
    known_by: tuple[Code, ...] = ()
    sources: tuple[BusinessKey, ...] = ()
    registered: Ref | None = None
    registered_at: datetime | None = None
    erased: Ref | None = None
    erased_at: datetime | None = None


def keys(command: Command, naming: Naming) -> tuple[Key, ...]:
    """Keys whose holders must be known: source ids and identifiers that are to be exclusive."""
    match command:
        case RegisterClient(identifiers=identifiers):
            return (*source_keys(command, naming), *exclusive_keys(identifiers, naming))
        case AddIdentifier(identifier=identifier):
            return exclusive_keys((identifier,), naming)
        case UpdateClient() | RemoveIdentifier() | EraseClient():
            return ()
        case _:
            assert_never(command)


def decide(record: Record, command: Command, context: Context) -> Iterable[PendingEvent]:
    """
    Registration, change, identifiers, erasure.

    Raises:
        UnknownError: no such client.

        InvalidValueError: a value is malformed.

        InvalidCommandError: too many references.

        AlreadyRegisteredError: the client is registered, and not by the same source id.

        MismatchError: the same source id was registered with other values.

        SourceTakenError: another client bears a source id.

        IdentifierTakenError: another client has an identifier to itself.

        IdentifierLimitError: too many identifiers.

        ErasedClientError: the client was erased.
    """
    profile = record.of(Profile)
    if profile.erased is not None:
        if isinstance(command, EraseClient):
            return ()
        raise ErasedClientError(command.client_id, (profile.erased,))
    if isinstance(command, RegisterClient):
        return register(profile.registered, record, command, context)
    if profile.registered is None:
        raise UnknownError("client", command.client_id)
    match command:
        case UpdateClient():
            return update(profile.details, profile.registered, command, context.vault)
        case AddIdentifier():
            return add(profile.identifiers, profile.numbered, command, record, context)
        case RemoveIdentifier():
            return remove(profile.identifiers, command, context)
        case EraseClient():
            return _erase(profile, command, context)
        case _:
            assert_never(command)


def _erase(profile: Profile, command: EraseClient, naming: Naming) -> tuple[PendingEvent, ...]:
    assert profile.registered is not None
    erased = ClientErased(client_id=command.client_id, act=command.act)
    return (
        PendingEvent(
            erased,
            rule="identity.erasure",
            because=(profile.registered,),
            release=keys_of(profile.identifiers.values(), naming),
            forget=(client_journal(command.client_id),),
            forget_scopes=profile.known_by,
        ),
    )


def react(record: Record, recorded: RecordedEvent, _context: Context) -> Iterable[PendingEvent]:
    """The first purchase of a prospect makes it a client (REC-7)."""
    profile = record.of(Profile)
    if recorded.event_class is not PurchaseRecorded or profile.standing is not Standing.PROSPECT:
        return ()
    assert profile.client_id is not None
    assert profile.registered is not None
    changed = ClientStandingChanged(
        client_id=profile.client_id, before=Standing.PROSPECT, after=Standing.CLIENT
    )
    because = (recorded.ref, profile.registered)
    return (PendingEvent(changed, rule="REC-7", because=because),)


def evolve(draft: Profile, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    match recorded.event:
        case ClientRegistered() as registered:
            draft.client_id = registered.client_id
            draft.kind = registered.kind
            draft.standing = registered.standing
            draft.details = registered.details
            draft.sources = registered.sources
            draft.registered = recorded.ref
            draft.registered_at = recorded.occurred_at
        case ClientUpdated() as updated:
            draft.details = overlaid(draft.details, updated.after, updated.fields)
        case ClientStandingChanged(after=standing):
            draft.standing = standing
        case ClientErased():
            draft.details = Details()
            draft.identifiers = {}
            draft.known_by = ()
            draft.erased = recorded.ref
            draft.erased_at = recorded.occurred_at
        case _:
            fold(draft.identifiers, recorded)
            if isinstance(recorded.event, IdentifierAdded):
                draft.numbered = recorded.event.number
                draft.known_by = tuple(sorted({*draft.known_by, recorded.event.kind}))


IDENTITY = RuleSet(
    name="identity",
    state=Profile,
    commands=(RegisterClient, UpdateClient, AddIdentifier, RemoveIdentifier, EraseClient),
    events=(
        ClientRegistered,
        ClientUpdated,
        ClientStandingChanged,
        IdentifierAdded,
        IdentifierSharingChanged,
        IdentifierRemoved,
        ClientErased,
    ),
    hears=(PurchaseRecorded,),
    decide=decide,
    evolve=evolve,
    react=react,
    keys=keys,
)
