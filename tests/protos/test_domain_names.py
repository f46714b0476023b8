"""
The wire speaks the language of the domain: same names for the same things.
"""

import attrs
import pytest

from clientela.domain import event, facts, ids
from clientela.domain.backtest import Kind as DifferenceKind
from clientela.domain.definitions.documents import ChangeKind
from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.identity.details import ClientKind, Details, Standing, UpdateClient
from clientela.domain.identity.identifiers import AddIdentifier, NewIdentifier, RemoveIdentifier
from clientela.domain.identity.profile import EraseClient
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.interaction.conflict import RecordConflict, ResolveConflict
from clientela.domain.interaction.departure import RecordDeparture
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.interaction.signals import RecordSignal
from clientela.domain.lifecycle.course import Means
from clientela.domain.lifecycle.stages import SetStage
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.card import CardKind, CardStatus
from clientela.domain.loyalty.cards import BlockCard, IssueCard, ReplaceCard, UnblockCard
from clientela.domain.loyalty.membership import OpenWallet
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.roles import GrantRole, RevokeRole
from clientela.domain.organisation.staff import MoveEmployee, RecordLeaving
from clientela.domain.organisation.units import MoveUnit, RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.replacement import ReplaceOwner
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import RecordPurchase, RecordReturn
from clientela.v1 import (
    client_pb2,
    common_pb2,
    definition_pb2,
    event_pb2,
    interaction_pb2,
    lifecycle_pb2,
    loyalty_pb2,
    organisation_pb2,
    purchase_pb2,
)
from clientela.v1.access_pb2 import personal
from tests.protos.wire import COMMON_FIELDS_END, mutations


COMMANDS = (
    AddIdentifier,
    AdjustPoints,
    ApplyDefinitions,
    Approach,
    BlockCard,
    EraseClient,
    GrantRole,
    IssueCard,
    MoveEmployee,
    MoveUnit,
    OpenWallet,
    RecordConflict,
    RecordDeparture,
    RecordInteraction,
    RecordLeaving,
    RecordPurchase,
    RecordReturn,
    RecordSignal,
    RegisterClient,
    RegisterEmployee,
    RegisterUnit,
    RemoveIdentifier,
    ReplaceCard,
    ReplaceOwner,
    ResolveConflict,
    RevokeRole,
    SetStage,
    SpendPoints,
    UnblockCard,
    UpdateClient,
)

OTHERWISE = {
    (UpdateClient, "fields"): "update_mask",  # AIP-134.
    (ApplyDefinitions, "document"): "toml",  # The service parses it.
}

VALUES = (
    (Details, client_pb2.Details),
    (NewIdentifier, client_pb2.NewIdentifier),
    (facts.BusinessKey, common_pb2.BusinessKey),
    (facts.Line, purchase_pb2.Line),
    (facts.Tender, purchase_pb2.Tender),
    (facts.ReturnedLine, purchase_pb2.ReturnedLine),
    (facts.UnmatchedLine, purchase_pb2.UnmatchedLine),
    (Wanted, purchase_pb2.RecordReturnRequest.Line),
    (event.Actor, common_pb2.Actor),
    (ids.JournalId, common_pb2.JournalId),
    (ids.Ref, common_pb2.FactRef),
)

ENUMS = (
    (event.ActorKind, common_pb2.ActorKind),
    (event.Origin, event_pb2.Origin),
    (event.Visibility, event_pb2.Visibility),
    (ids.JournalKind, common_pb2.JournalKind),
    (facts.Direction, interaction_pb2.Direction),
    (facts.EndKind, interaction_pb2.EndKind),
    (facts.Purpose, interaction_pb2.Purpose),
    (facts.TenderKind, purchase_pb2.TenderKind),
    (ClientKind, client_pb2.ClientKind),
    (Standing, client_pb2.Standing),
    (CardKind, loyalty_pb2.CardKind),
    (CardStatus, loyalty_pb2.CardStatus),
    (ChangeKind, definition_pb2.ChangeKind),
    (DifferenceKind, definition_pb2.DifferenceKind),
    (Means, lifecycle_pb2.Means),
    (UnitKind, organisation_pb2.UnitKind),
)


def named(case):
    """Name of a case that is a class."""
    return case.__name__ if isinstance(case, type) else None


def fields(cls) -> dict[str, bool]:
    """Fields of *cls* under their names on the wire, and whether they are personal."""
    return {
        OTHERWISE.get((cls, field.name), field.name): "Personal" in str(field.type)
        for field in attrs.fields(attrs.resolve_types(cls))
    }


def marks(descriptor, least: int = 1) -> dict[str, bool]:
    """Fields of a message numbered *least* or more, and whether they are marked personal."""
    return {
        field.name: field.GetOptions().Extensions[personal]
        for field in descriptor.fields
        if field.number >= least
    }


@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_a_request_has_the_fields_of_its_command(command):
    """
    A mutation takes what its command takes, under the same names, personal fields marked.
    """
    wanted = {name: mark for name, mark in fields(command).items() if name != "occurred_at"}

    assert wanted == marks(mutations()[command.__name__].input_type, COMMON_FIELDS_END)


def test_every_mutation_has_a_command():
    """
    A mutation bears the name of the one command that it runs.
    """
    assert {command.__name__ for command in COMMANDS} == set(mutations())


@pytest.mark.parametrize(("value", "message"), VALUES, ids=named)
def test_a_value_has_the_same_fields_on_the_wire(value, message):
    """
    A value that callers give or get is the domain's, field by field, personal fields marked.
    """
    assert fields(value) == marks(message.DESCRIPTOR)


@pytest.mark.parametrize(("ours", "theirs"), ENUMS, ids=named)
def test_an_enum_has_the_same_names_on_the_wire(ours, theirs):
    """
    Every member of an enum goes over the wire under its own name, after the prefix.
    """
    unspecified, *names = theirs.keys()
    prefix = unspecified.removesuffix("UNSPECIFIED")

    assert [f"{prefix}{member.name}" for member in ours] == names
