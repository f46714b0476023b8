"""
How a call fails, with everything the service said about it.

    CallError (grpc.aio.AioRpcError)
      - RefusedError          the service decided so: the same request gets the same answer
      - UnresolvedError       tried as often as is allowed: whether it took effect is not known

Nothing of a request stands in a message; `reason` is stable, texts are not.
"""

from __future__ import annotations

import contextlib

from collections.abc import Mapping
from datetime import datetime

import attrs
import grpc
import grpc.aio

from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from clientela.sdk.retrying import is_retriable


DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata in which a `google.rpc.Status` travels."""


@attrs.frozen(kw_only=True)
class Said:
    """
    What the details of a failure say.

    Attributes:
        reason: Stable reason; empty when nobody of Clientela gave one.

        metadata: Its data.

        fields: What is wrong by field path, for a malformed request.

        wait_s: Seconds that the service asks to wait before the next try; None if it does not.
    """

    reason: str = ""
    metadata: Mapping[str, str] = attrs.field(factory=dict[str, str])
    fields: Mapping[str, str] = attrs.field(factory=dict[str, str])
    wait_s: float | None = None


class CallError(grpc.aio.AioRpcError):
    """
    A call failed.

    Attributes:
        reason: Stable reason in capitals, for instance `CLIENT_TAKEN`; where nobody of Clientela
            gave one, the name of the code.

        metadata: Data of the reason: ids, codes, counts, moments.

        fields: What is wrong by field path, for a malformed request.

        request_id: The id the request bore; repeating with it is safe. Empty for a read.
    """

    def __init__(self, error: grpc.aio.AioRpcError, said: Said, request_id: str = "") -> None:
        super().__init__(
            error.code(),
            error.initial_metadata(),
            error.trailing_metadata(),
            error.details(),
            error.debug_error_string(),
        )
        self.reason = said.reason or error.code().name
        self.metadata = dict(said.metadata)
        self.fields = dict(said.fields)
        self.request_id = request_id

    @property
    def rule(self) -> str:
        """Catalogue id of the rule that forbids, for instance `OWN-2`; empty for none."""
        return self.metadata.get("rule", "")

    @property
    def until(self) -> datetime | None:
        """When the ground of a refusal ends by itself; None if it does not, or is not told."""
        text = self.metadata.get("until", "")
        return datetime.fromisoformat(text) if text else None

    @property
    def may_request(self) -> bool:
        """Whether the caller may ask for what it was refused, a transfer for instance."""
        return self.metadata.get("may_request") == "true"

    def __str__(self) -> str:
        return f"{self.reason}: {self.details() or self.code().name}"


class RefusedError(CallError):
    """The service decided so; the same request gets the same answer."""


class UnresolvedError(CallError):
    """Tried as often as is allowed; repeating with the same `request_id` is safe."""


def said_in(error: grpc.aio.AioRpcError) -> Said:
    """What the details of *error* say; nothing where somebody between made them up."""
    status, said = Status(), Said()
    raw = dict(error.trailing_metadata() or ()).get(DETAILS_KEY, b"")
    with contextlib.suppress(DecodeError):
        status.ParseFromString(raw if isinstance(raw, bytes) else b"")
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    for packed in status.details:
        if packed.Unpack(info):
            said = attrs.evolve(said, reason=info.reason, metadata=dict(info.metadata))
        elif packed.Unpack(bad):
            fields = {broken.field: broken.description for broken in bad.field_violations}
            said = attrs.evolve(said, fields=fields)
        elif packed.Unpack(retry):
            wait_s = retry.retry_delay.ToTimedelta().total_seconds()
            said = attrs.evolve(said, wait_s=max(wait_s, 0.0))
    return said


def failure(error: grpc.aio.AioRpcError, said: Said, request_id: str = "") -> CallError:
    """What a caller is told of *error*."""
    if is_retriable(error.code(), said.reason, said.wait_s):
        return UnresolvedError(error, said, request_id)
    return RefusedError(error, said, request_id)
