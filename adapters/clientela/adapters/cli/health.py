"""
`clientela health`.
"""

from __future__ import annotations

import time

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import DataDir, Way, verb


if TYPE_CHECKING:
    from clientela.adapters.settings import Settings

ANSWER_SECONDS_MAX = 3.0
"""How long a service that is well takes to answer at most."""

WAIT_SECONDS_MAX = 600.0

AGAIN_SECONDS = 0.1
"""Between two looks while waiting."""


@verb
def health(
    name: Annotated[
        str,
        typer.Argument(
            help="readiness, liveness, bus, or a service such as clientela.v1.OwnershipService."
        ),
    ] = "readiness",
    *,
    data_dir: DataDir = None,
    is_quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, max=WAIT_SECONDS_MAX, help="Seconds to wait until it serves.")
    ] = 0,
) -> Exit | None:
    """
    Ask the service that runs over the data folder whether it serves; for probes.

    Ends with 0 if it does, with 1 if it does not, with 3 if nobody answers.
    """
    from clientela.adapters.settings import Settings

    settings = Settings(data_dir=Way(data_dir=data_dir).folder)
    until = time.monotonic() + wait
    while not (is_serving := _asked(settings, name, until)) and time.monotonic() < until:
        time.sleep(AGAIN_SECONDS)
    if not is_quiet:
        print("serving" if is_serving else "not serving")
    return None if is_serving else Exit.FAILED


def _asked(settings: Settings, name: str, until: float) -> bool:
    """Whether it serves; nobody there is an error only when the waiting is over."""
    try:
        return _is_serving(_target(settings), name)
    except VerbError as error:
        if error.code is not Exit.UNREACHABLE or time.monotonic() >= until:
            raise
        return False


def _target(settings: Settings) -> str:
    from clientela.adapters.addresses import found

    said = found(settings.address_file)
    if said is None:
        raise VerbError(Exit.UNREACHABLE, f"no service runs over {settings.data_dir}")
    if said.health_port:
        return f"127.0.0.1:{said.health_port}"
    if said.is_encrypted:
        raise VerbError(
            Exit.UNREACHABLE,
            f"the service at {said.target} speaks TLS, and tells its health to nobody else",
            advice="Start it with --health-port.",
        )
    return said.target


def _is_serving(target: str, name: str) -> bool:
    import grpc

    from grpc_health.v1 import health_pb2  # type: ignore[import-untyped]

    pb = cast("Any", health_pb2)
    with grpc.insecure_channel(target) as channel:
        ask = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=pb.HealthCheckRequest.SerializeToString,
            response_deserializer=pb.HealthCheckResponse.FromString,
        )
        try:
            answer = ask(pb.HealthCheckRequest(service=name), timeout=ANSWER_SECONDS_MAX)
        except grpc.RpcError as error:
            if cast("Any", error).code() is grpc.StatusCode.NOT_FOUND:
                raise VerbError(Exit.USAGE, f"the service knows nothing of {name}") from None
            raise VerbError(Exit.UNREACHABLE, f"no service answers at {target}") from None
    return bool(answer.status == pb.HealthCheckResponse.SERVING)
