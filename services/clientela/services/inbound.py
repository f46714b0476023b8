"""
Inbound messages: what other systems tell of over the bus, as the requests that it would be by rpc.

    clientela.in.v1.purchase       RecordPurchaseRequest, as proto JSON
    clientela.in.v1.return         RecordReturnRequest
    clientela.in.v1.interaction    RecordInteractionRequest
    clientela.in.v1.visit          RecordInteractionRequest, `channel` is `visit` if it says none

A message must have a business identity, since that is what makes a second delivery harmless, and
`occurred_at`, since it may lie on the bus for hours. Its `request_id` may be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import Message

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import ClientId, JournalId, client_journal, is_id
from clientela.domain.interaction.rules import INTERACTION
from clientela.domain.purchase.recording import PURCHASE
from clientela.domain.ruleset import Command, RuleSet
from clientela.services.limits import DEPTH_MAX, check
from clientela.services.personal_fields import withhold
from clientela.services.principal import Principal
from clientela.services.translate.interaction import record_interaction
from clientela.services.translate.purchase import record_purchase, record_return
from clientela.v1.interaction_pb2 import RecordInteractionRequest
from clientela.v1.purchase_pb2 import RecordPurchaseRequest, RecordReturnRequest


BODY_BYTES_MAX = 256 * 1024
"""Bytes of a body: a purchase of 500 lines takes half of that."""

SOURCE_HEADER = "clientela-source"
"""Header: the system a message comes from; the source of a business identity that names none."""

VISIT = "visit"

KIND_LENGTH_MAX = 64
"""Characters kept of what a message calls itself."""


@attrs.frozen(kw_only=True)
class InboundKind:
    """
    What a kind of message is by rpc.

    Attributes:
        method: Full name of the rpc.

        request: Class of its request.

        command: Translates the request.

        rule_set: Whose etag the request bears.

        identity: Field of the business identity.
    """

    method: str
    request: type[Message]
    command: Callable[[Any], Command]
    rule_set: RuleSet
    identity: str


_INTERACTION = InboundKind(
    method="clientela.v1.InteractionService.RecordInteraction",
    request=RecordInteractionRequest,
    command=record_interaction,
    rule_set=INTERACTION,
    identity="interaction",
)

KINDS: Mapping[str, InboundKind] = MappingProxyType(
    {
        "purchase": InboundKind(
            method="clientela.v1.PurchaseService.RecordPurchase",
            request=RecordPurchaseRequest,
            command=record_purchase,
            rule_set=PURCHASE,
            identity="purchase",
        ),
        "return": InboundKind(
            method="clientela.v1.PurchaseService.RecordReturn",
            request=RecordReturnRequest,
            command=record_return,
            rule_set=PURCHASE,
            identity="return_key",
        ),
        "interaction": _INTERACTION,
        VISIT: _INTERACTION,
    }
)
"""Every kind of message."""


@attrs.frozen(kw_only=True)
class Inbound:
    """
    A message that came in.

    Attributes:
        kind: What it tells of, one of `KINDS`.

        body: Proto JSON.

        headers: Those that matter, names in small letters; no credentials.

        principal: On whose behalf it is carried out; None where credentials did not hold.

        tries: How often it was delivered before.
    """

    kind: str
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    principal: Principal | None = None
    tries: int = 0


@attrs.frozen
class Reading:
    """
    What a body says.

    Attributes:
        request: The request; None where it is none.

        lane: Whose messages it stands among: the client's journal; None where it names no client.

        problem: Why it cannot be carried out; None if it can.
    """

    request: Any
    lane: JournalId | None
    problem: InvalidValueError | None = None

    @property
    def is_personal(self) -> bool:
        """Whether it bears personal values, which should not have been on the bus."""
        if self.request is None:
            return False
        copy = type(self.request)()
        copy.CopyFrom(self.request)
        return withhold(copy)


def kind_in(subject: str) -> str:
    """
    The kind of message of a subject: its last word, fit to be kept and shown.

    Anybody may tell on any subject: what cannot be printed is replaced, and never becomes a kind
    that there is.
    """
    name = subject.rpartition(".")[2][:KIND_LENGTH_MAX]
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def read(message: Inbound) -> Reading:
    """What the body of *message* says; what is wrong with it is said, not raised."""
    kind = KINDS.get(message.kind)
    if kind is None:
        return Reading(None, None, InvalidValueError("subject", f"one of {', '.join(KINDS)}"))
    request: Any = kind.request()
    try:
        Parse(message.body, request, max_recursion_depth=DEPTH_MAX)
    except (ParseError, ValueError, RecursionError):
        # The parser's own words may quote the body.
        expected = f"JSON of a {kind.request.DESCRIPTOR.name}"
        return Reading(None, None, InvalidValueError("body", expected))
    lane = client_journal(ClientId(request.client_id)) if is_id(request.client_id) else None
    try:
        check(request)
        _complete(message, kind, request)
    except InvalidValueError as problem:
        return Reading(request, lane, problem)
    return Reading(request, lane)


def _complete(message: Inbound, kind: InboundKind, request: Any) -> None:
    """
    Check what only a message must say, and fill in what it may leave out.

    Raises:
        InvalidValueError: it does not say it.
    """
    if not request.HasField("occurred_at"):
        raise InvalidValueError("occurred_at", "a moment: a message may come hours later")
    if not request.HasField(kind.identity):
        raise InvalidValueError(kind.identity, "an identity: a message may come twice")
    if request.validate_only:
        raise InvalidValueError("validate_only", "false: nobody waits for an answer")
    identity = getattr(request, kind.identity)
    source = message.headers.get(SOURCE_HEADER, "")
    if source and identity.source not in {"", source}:
        raise InvalidValueError(f"{kind.identity}.source", f"the one of header {SOURCE_HEADER}")
    identity.source = identity.source or source
    if message.kind == VISIT:
        request.channel = request.channel or VISIT
    # Messages are told apart by their business identity; the request's own would be stored anew
    # for every delivery.
    request.request_id = request.request_id or f"{message.kind}:{identity.id}"[:128]
