"""
Sellers who approach one client at the same time.
"""

from __future__ import annotations

import os

import pytest

from tests.system.races import LAPSING, LASTING, race, staffed
from tests.system.wire import served


SELLERS = int(os.environ.get("CLIENTELA_RACE_SELLERS", "200"))
ROUNDS = int(os.environ.get("CLIENTELA_RACE_ROUNDS", "1"))


@pytest.mark.parametrize("policy", [LAPSING, LASTING])
async def test_of_all_who_ask_at_once_one_becomes_the_owner(tmp_path, policy):
    """
    OWN-1, OWN-2, OWN-6: one owner, everybody else refused and told why, repeats answered the same.
    """
    async with served(tmp_path) as service:
        await service.wire.call("ApplyDefinitions", toml=policy)
        async with staffed(service, SELLERS) as sellers:
            for number in range(ROUNDS):
                await race(service, f"client-{number}", sellers)
        assert [] == list((await service.wire.call("Verify")).problems)
