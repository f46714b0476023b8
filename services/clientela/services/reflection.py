"""
Reflection: lets tools ask a server what it offers; only in development mode or when asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc

from grpc_reflection.v1alpha.reflection import (  # type: ignore[import-untyped]
    SERVICE_NAME,
    aio,
)
from grpc_reflection.v1alpha.reflection_pb2 import (  # type: ignore[import-untyped]
    ServerReflectionRequest,
    ServerReflectionResponse,
)


V1_NAME = "grpc.reflection.v1.ServerReflection"
"""What newer tools ask for: the same messages under another name."""


def reflection(services: Iterable[str]) -> tuple[grpc.GenericRpcHandler, ...]:
    """Handlers of reflection over the services of these full names, both versions of it."""
    servicer: Any = aio.ReflectionServicer((*services, SERVICE_NAME))
    handler: Any = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=ServerReflectionRequest.FromString,
        response_serializer=ServerReflectionResponse.SerializeToString,
    )
    return tuple(
        grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler})
        for name in (SERVICE_NAME, V1_NAME)
    )
