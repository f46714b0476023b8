"""
Arrival: a call as the transport hands it over, its metadata read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs
import grpc.aio

from clientela.services.principal import Credentials
from clientela.services.tracing import TRACEPARENT_HEADER


# Generic for type checkers only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@attrs.define
class Arrival:
    """
    A call that has come in.

    Attributes:
        raw: The request as it came; empty of a stream of requests.

        context: What the transport answers it through.

        credentials: What the caller showed.
    """

    raw: bytes
    context: Context
    credentials: Credentials

    @property
    def parent(self) -> str:
        """The span that the caller names; empty for none."""
        named = self.credentials.metadata.get(TRACEPARENT_HEADER)
        return named[0] if named else ""


def arrival(raw: bytes, context: Context) -> Arrival:
    """The call that *context* answers."""
    metadata: dict[str, tuple[str, ...]] = {}
    for name, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            metadata[name] = (*metadata[name], value) if name in metadata else (value,)
    credentials = Credentials(metadata=metadata, certificate=_certificate(context.auth_context()))
    return Arrival(raw, context, credentials)


def _certificate(transport: Mapping[str, Any]) -> bytes:
    return b"".join(transport.get("x509_pem_cert", ()))
