"""
The whole service over PostgreSQL, in one process and in two.
"""

from __future__ import annotations

import os
import shutil

from contextlib import AsyncExitStack

import attrs
import grpc.aio
import pytest

from clientela.adapters.postgres.positions import COUNTER, XMIN
from tests.adapters import postgres_server
from tests.services.edge import as_employee
from tests.system.races import LAPSING, race, staffed
from tests.system.town import READS, tell
from tests.system.wire import LIMITS, Wire, served


SELLERS = int(os.environ.get("CLIENTELA_RACE_SELLERS", "200"))
ROUNDS = int(os.environ.get("CLIENTELA_RACE_ROUNDS", "1"))


@pytest.mark.parametrize("positions", [COUNTER, XMIN])
async def test_whole_story_is_told_over_postgres(tmp_path, positions):
    """
    R9: every rpc works over PostgreSQL; everything kept agrees, and is there after a restart.
    """
    async with postgres_server.database(positions) as url:
        async with served(tmp_path, virtual_clock=True, database_url=url) as service:
            await tell(service.wire)
            await service.running.core.follow_ups.catch_up()
            first = [await service.wire.call(each.method, **each.fields) for each in READS]
            assert [] == list((await service.wire.call("Verify")).problems)
        assert not (tmp_path / "clientela.db").exists()
        async with served(tmp_path, database_url=url) as service:
            again = [await service.wire.call(each.method, **each.fields) for each in READS]
            assert [] == list((await service.wire.call("Verify")).problems)
        names = [each.method for each in READS]
        assert len(first) == len(again)
        assert dict(zip(names, map(str, first), strict=True)).keys() == dict.fromkeys(names).keys()
        steady = [name for name in names if name not in {"GetStatus", "GetStats"}]
        assert [str(dict(zip(names, first, strict=True))[name]) for name in steady] == [
            str(dict(zip(names, again, strict=True))[name]) for name in steady
        ]


@pytest.mark.parametrize("positions", [COUNTER, XMIN])
async def test_of_all_who_ask_two_processes_at_once_one_becomes_the_owner(tmp_path, positions):
    """
    OWN-1, G7: 200 approaches through two services over one database: one owner, 199 refusals.
    """
    here, there = tmp_path / "here", tmp_path / "there"
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(postgres_server.database(positions))
        service = await stack.enter_async_context(served(here, database_url=url))
        there.mkdir(mode=0o700)
        shutil.copy2(here / "keys.json", there / "keys.json")
        other = await stack.enter_async_context(served(there, database_url=url))
        channel = await stack.enter_async_context(
            grpc.aio.insecure_channel(other.running.target, options=LIMITS)
        )
        await service.wire.call("ApplyDefinitions", toml=LAPSING)
        sellers = list(await stack.enter_async_context(staffed(service, SELLERS)))
        for number in range(0, SELLERS, 2):
            wire = Wire(channel, as_employee(sellers[number].id))
            sellers[number] = attrs.evolve(sellers[number], wire=wire)
        for number in range(ROUNDS):
            await race(service, f"client-{number}", sellers)
        assert [] == list((await other.wire.call("Verify")).problems)
        assert [] == list((await service.wire.call("Verify")).problems)
