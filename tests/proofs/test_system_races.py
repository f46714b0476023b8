"""
Two hundred sellers, one client, fifty times.
"""

from __future__ import annotations

import pytest

from tests.system.races import LAPSING, race, staffed
from tests.system.wire import served


SELLERS = 200
ROUNDS = 50

SECONDS_MAX = 900
"""Four minutes at most where nothing else runs; then something hangs."""


@pytest.mark.timeout(SECONDS_MAX)
async def test_of_two_hundred_who_ask_at_once_one_becomes_the_owner_every_time(tmp_path):
    """
    OWN-1, OWN-2, OWN-6: one owner, 199 refused and told why, repeats answered the same.
    """
    async with served(tmp_path) as service:
        await service.wire.call("ApplyDefinitions", toml=LAPSING)
        async with staffed(service, SELLERS) as sellers:
            for number in range(ROUNDS):
                await race(service, f"client-{number}", sellers)
        assert [] == list((await service.wire.call("Verify")).problems)
