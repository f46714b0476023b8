"""
The client: every rpc of every service, typed by the stubs, tried again where that is safe.

    async with connect("clientela.example:7443", tls=Tls(), token=token) as client:
        answer = await client.ownership.Approach(ApproachRequest(client_id="petra", ...))
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs
import grpc
import grpc.aio

from clientela.sdk.calling import CALL_SECONDS, Calling, Credentials, Metadata, Streaming
from clientela.sdk.retrying import RetryPolicy
from clientela.v1.client_pb2_grpc import ClientServiceStub
from clientela.v1.definition_pb2_grpc import DefinitionServiceStub
from clientela.v1.event_pb2_grpc import EventServiceStub
from clientela.v1.history_pb2_grpc import HistoryServiceStub
from clientela.v1.insight_pb2_grpc import InsightServiceStub
from clientela.v1.interaction_pb2_grpc import InteractionServiceStub
from clientela.v1.lifecycle_pb2_grpc import LifecycleServiceStub
from clientela.v1.loyalty_pb2_grpc import LoyaltyServiceStub
from clientela.v1.operation_pb2_grpc import OperationServiceStub
from clientela.v1.organisation_pb2_grpc import OrganisationServiceStub
from clientela.v1.ownership_pb2_grpc import OwnershipServiceStub
from clientela.v1.parked_pb2_grpc import ParkedServiceStub
from clientela.v1.purchase_pb2_grpc import PurchaseServiceStub


if TYPE_CHECKING:
    from clientela.v1.client_pb2_grpc import ClientServiceAsyncStub
    from clientela.v1.definition_pb2_grpc import DefinitionServiceAsyncStub
    from clientela.v1.event_pb2_grpc import EventServiceAsyncStub
    from clientela.v1.history_pb2_grpc import HistoryServiceAsyncStub
    from clientela.v1.insight_pb2_grpc import InsightServiceAsyncStub
    from clientela.v1.interaction_pb2_grpc import InteractionServiceAsyncStub
    from clientela.v1.lifecycle_pb2_grpc import LifecycleServiceAsyncStub
    from clientela.v1.loyalty_pb2_grpc import LoyaltyServiceAsyncStub
    from clientela.v1.operation_pb2_grpc import OperationServiceAsyncStub
    from clientela.v1.organisation_pb2_grpc import OrganisationServiceAsyncStub
    from clientela.v1.ownership_pb2_grpc import OwnershipServiceAsyncStub
    from clientela.v1.parked_pb2_grpc import ParkedServiceAsyncStub
    from clientela.v1.purchase_pb2_grpc import PurchaseServiceAsyncStub


RECEIVED_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of one answer, as many as a service sends."""

ACTOR_HEADER = "x-clientela-actor"
"""Metadata: who calls, believed by a service in development mode only."""

Token = Callable[[], Awaitable[str]]
"""Hands out the token to show; called at every try, so it should keep what still holds."""


@attrs.frozen(kw_only=True)
class Tls:
    """
    An encrypted connection.

    Attributes:
        roots: Who signed the certificate of the service (PEM); None for those the system knows.

        certificate: Certificate chain of the caller (PEM); None for none.

        key: Its private key (PEM).
    """

    roots: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = attrs.field(default=None, repr=False)


class Client:
    """
    Every service over one channel.

    Args:
        channel: To the service, with the interceptors of `connect`.

    Attributes:
        clients: Registration, recognition, timeline.

        ownership: Who looks after a client and who may approach them.

        interactions: What passed between client and company.

        purchases: Purchases and returns.

        lifecycle: Where the relationship stands.

        loyalty: Points.

        organisation: Units and staff.

        definitions: Models, programmes, policies.

        events: The journals as they are kept.

        history: What happened long ago, many commands in one call.

        insight: Figures.

        parked: Messages that came in and could not be carried out.

        operations: Running the service.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.clients: ClientServiceAsyncStub = ClientServiceStub(channel)
        self.ownership: OwnershipServiceAsyncStub = OwnershipServiceStub(channel)
        self.interactions: InteractionServiceAsyncStub = InteractionServiceStub(channel)
        self.purchases: PurchaseServiceAsyncStub = PurchaseServiceStub(channel)
        self.lifecycle: LifecycleServiceAsyncStub = LifecycleServiceStub(channel)
        self.loyalty: LoyaltyServiceAsyncStub = LoyaltyServiceStub(channel)
        self.organisation: OrganisationServiceAsyncStub = OrganisationServiceStub(channel)
        self.definitions: DefinitionServiceAsyncStub = DefinitionServiceStub(channel)
        self.events: EventServiceAsyncStub = EventServiceStub(channel)
        self.history: HistoryServiceAsyncStub = HistoryServiceStub(channel)
        self.insight: InsightServiceAsyncStub = InsightServiceStub(channel)
        self.parked: ParkedServiceAsyncStub = ParkedServiceStub(channel)
        self.operations: OperationServiceAsyncStub = OperationServiceStub(channel)


@asynccontextmanager
async def connect(
    target: str,
    *,
    tls: Tls | None = None,
    token: Token | None = None,
    actor: str = "",
    seconds: float = CALL_SECONDS,
    policy: RetryPolicy | None = None,
) -> AsyncGenerator[Client]:
    """
    A client of the service at *target*, to the end of the block.

    Args:
        target: `host:port`.

        tls: How the connection is encrypted; None for not at all, which is for loopback.

        token: Hands out the token to show; None for none.

        actor: Who calls, as `service/till` or `employee/marta`, for a service in development mode.

        seconds: How long a call may take, all its tries included, unless it says otherwise.

        policy: How calls are tried again; None for the standard one.
    """
    credentials = _credentials(token, actor)
    calling = Calling(credentials=credentials, policy=policy or RetryPolicy(), seconds=seconds)
    interceptors = [calling, Streaming(credentials=credentials)]
    options = (("grpc.max_receive_message_length", RECEIVED_BYTES_MAX),)
    if tls is None:
        opened = grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)
    else:
        secured = grpc.ssl_channel_credentials(tls.roots, tls.key, tls.certificate)
        opened = grpc.aio.secure_channel(
            target, secured, options=options, interceptors=interceptors
        )
    async with opened as channel:
        yield Client(channel)


def _credentials(token: Token | None, actor: str) -> Credentials:
    async def shown() -> Metadata:
        said: Metadata = ((ACTOR_HEADER, actor),) if actor else ()
        return said if token is None else (*said, ("authorization", f"Bearer {await token()}"))

    return shown
