"""
The service under test in a process of its own, and a bare echo beside it in the same process.

What is measured is what `clientela serve` runs, everything on. The echo is a second gRPC server
without guard or services in the same event loop: what the transport alone costs this process. It
takes the same request and gives the same kind of answer as a purchase.
"""

from __future__ import annotations

import argparse
import asyncio
import signal

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import grpc
import grpc.aio

from benchmarks.processes import READY, child, tell, told
from clientela.adapters.bootstrap import serving
from clientela.adapters.environment import settings_from
from clientela.adapters.event_loop import run
from clientela.adapters.garbage import look_seldom
from clientela.adapters.logs import set_up
from clientela.v1 import common_pb2, purchase_pb2


ECHO = "clientela.benchmarks.Echo"
"""Full name of the bare service."""


@attrs.frozen(kw_only=True)
class Service:
    """
    A service that runs.

    Attributes:
        pid: Its process.

        target: How the service is reached.

        echo: How the bare echo of the same process is reached.
    """

    pid: int
    target: str
    echo: str


@contextmanager
def service(folder: Path, *more: object, module: str = "benchmarks.service") -> Generator[Service]:
    """
    A service over the store in *folder*, from here to the end of the block.

    Args:
        folder: Its data.

        more: Further settings, as `name=value`.

        module: What is run; another one takes the same command line.
    """
    with child(module, folder, *more, log=folder / "service.log") as process:
        yield Service(pid=process.pid, **told(process, READY))


async def _echo(request: purchase_pb2.RecordPurchaseRequest, _context: Any) -> Any:
    outcome = common_pb2.Outcome(etag=request.request_id)
    return purchase_pb2.RecordPurchaseResponse(outcome=outcome, points_issued=len(request.lines))


async def _started_echo() -> tuple[grpc.aio.Server, int]:
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    handler = grpc.unary_unary_rpc_method_handler(
        _echo,
        request_deserializer=purchase_pb2.RecordPurchaseRequest.FromString,
        response_serializer=purchase_pb2.RecordPurchaseResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(ECHO, {"Echo": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


async def _main(folder: Path, more: dict[str, str]) -> None:
    environment = {f"CLIENTELA_{name.upper()}": value for name, value in more.items()}
    settings = settings_from(
        environment, data_dir=folder, port=0, log_level="info", log_format="json"
    )
    set_up(*settings.log)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with serving(settings) as running:
        look_seldom()
        echo, port = await _started_echo()
        await running.core.reads.catch_up_all()
        tell(READY, {"target": running.target, "echo": f"127.0.0.1:{port}"})
        await stopping.wait()
        await echo.stop(None)


def main() -> None:
    """Serve what the command line names until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("more", nargs="*", help="settings, name=value")
    said = parser.parse_args()
    run(_main(said.folder, dict(text.split("=", 1) for text in said.more)))


if __name__ == "__main__":
    main()
