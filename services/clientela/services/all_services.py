"""
Every service, with its servicer.
"""

from __future__ import annotations

from clientela.services.audit import Audit
from clientela.services.client_service import ClientServicer
from clientela.services.core import Core
from clientela.services.definition_service import DefinitionServicer
from clientela.services.event_service import EventServicer
from clientela.services.history_service import HistoryServicer
from clientela.services.insight_service import InsightServicer
from clientela.services.interaction_service import InteractionServicer
from clientela.services.lifecycle_service import LifecycleServicer
from clientela.services.loyalty_service import LoyaltyServicer
from clientela.services.operation_service import OperationServicer
from clientela.services.operations import Keeper
from clientela.services.organisation_service import OrganisationServicer
from clientela.services.ownership_service import OwnershipServicer
from clientela.services.parked_service import ParkedServicer
from clientela.services.purchase_service import PurchaseServicer
from clientela.services.read_models import ReadModel
from clientela.services.replays import Replays
from clientela.services.service_names import Service
from clientela.v1.client_pb2_grpc import add_ClientServiceServicer_to_server
from clientela.v1.definition_pb2_grpc import add_DefinitionServiceServicer_to_server
from clientela.v1.event_pb2_grpc import add_EventServiceServicer_to_server
from clientela.v1.history_pb2_grpc import add_HistoryServiceServicer_to_server
from clientela.v1.insight_pb2_grpc import add_InsightServiceServicer_to_server
from clientela.v1.interaction_pb2_grpc import add_InteractionServiceServicer_to_server
from clientela.v1.lifecycle_pb2_grpc import add_LifecycleServiceServicer_to_server
from clientela.v1.loyalty_pb2_grpc import add_LoyaltyServiceServicer_to_server
from clientela.v1.operation_pb2_grpc import add_OperationServiceServicer_to_server
from clientela.v1.organisation_pb2_grpc import add_OrganisationServiceServicer_to_server
from clientela.v1.ownership_pb2_grpc import add_OwnershipServiceServicer_to_server
from clientela.v1.parked_pb2_grpc import add_ParkedServiceServicer_to_server
from clientela.v1.purchase_pb2_grpc import add_PurchaseServiceServicer_to_server


def services_of(
    core: Core, keeper: Keeper, models: tuple[ReadModel, ...], replays: Replays, audit: Audit
) -> list[Service]:
    """
    Every service over *core*.

    Args:
        core: What servicers work with.

        keeper: Keeps files and keys.

        models: Read models to be checked.

        replays: Carries out parked messages.

        audit: Notes denials.
    """
    return [
        (add_ClientServiceServicer_to_server, ClientServicer(core)),
        (add_OwnershipServiceServicer_to_server, OwnershipServicer(core)),
        (add_InteractionServiceServicer_to_server, InteractionServicer(core)),
        (add_PurchaseServiceServicer_to_server, PurchaseServicer(core)),
        (add_HistoryServiceServicer_to_server, HistoryServicer(core, audit)),
        (add_LifecycleServiceServicer_to_server, LifecycleServicer(core)),
        (add_LoyaltyServiceServicer_to_server, LoyaltyServicer(core)),
        (add_OrganisationServiceServicer_to_server, OrganisationServicer(core)),
        (add_DefinitionServiceServicer_to_server, DefinitionServicer(core)),
        (add_EventServiceServicer_to_server, EventServicer(core)),
        (add_InsightServiceServicer_to_server, InsightServicer(core)),
        (add_ParkedServiceServicer_to_server, ParkedServicer(replays)),
        (add_OperationServiceServicer_to_server, OperationServicer(core, keeper, models)),
    ]
