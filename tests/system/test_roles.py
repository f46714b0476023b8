"""
Processes that do a part of the work.
"""

from __future__ import annotations

import shutil

from typing import Any

import grpc
import grpc.aio
import pytest

from clientela.adapters.assembly import KEEPING
from clientela.adapters.checks.exposure import service as reached
from clientela.adapters.roles import Role
from clientela.adapters.settings import Settings
from tests.adapters import postgres_server
from tests.system.processes import comes_true, kept
from tests.system.survivors import HOLDER, IS_HELD
from tests.system.wire import Wire, served


CHECK = "/grpc.health.v1.Health/Check"
SERVING = b"\x08\x01"


async def health(wire: Wire, name: str) -> bytes:
    """What a process says of its health."""
    calling: Any = wire.channel.unary_unary(CHECK)
    answer: bytes = await calling(bytes([10, len(name)]) + name.encode(), timeout=60)
    return answer


async def test_each_process_does_what_it_is_there_for(tmp_path):
    """
    Issue 3: one that only serves keeps no time, one that only keeps time serves nobody; health and
    doctor tell which is which.
    """
    here, there = tmp_path / "here", tmp_path / "there"
    async with (
        postgres_server.database() as url,
        served(here, database_url=url, only=(Role.SERVICE,)) as front,
    ):
        there.mkdir(mode=0o700)
        shutil.copy2(here / "keys.json", there / "keys.json")
        assert SERVING == await health(front.wire, "service")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health(front.wire, "scheduler")
        assert grpc.StatusCode.NOT_FOUND is caught.value.code()
        assert None is await kept(url, HOLDER, KEEPING)
        async with served(there, database_url=url, only=(Role.SCHEDULER,)) as back:
            assert SERVING == await health(back.wire, "scheduler")
            assert SERVING == await health(back.wire, "readiness")
            assert await comes_true(url, IS_HELD, KEEPING)
            await front.wire.call("GetStats")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await back.wire.call("GetStats")
            assert grpc.StatusCode.UNIMPLEMENTED is caught.value.code()
            [told] = reached(Settings(data_dir=there))
            assert told.text.endswith(", only as scheduler")
