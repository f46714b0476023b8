"""
Copies of a client, as a million of them are put into a store.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.copying import NotPlainError, copy_in_postgres, copy_in_sqlite
from benchmarks.inner import opened, seeded
from benchmarks.workload import client_name, purchase

from clientela.adapters.assembly import MODELS
from clientela.adapters.settings import Settings
from clientela.services.calls import Call
from clientela.services.cards import ALL, CARDS
from clientela.services.verification import Verification
from tests.adapters import postgres_server


SEEDED = {20: 1, 1: 1}
"""A client with a history, number 0, and one without, number 1."""

COPIES = 12
"""Numbers 2 to 13."""

CLIENTS = 2 + COPIES


async def _problems(settings: Settings) -> tuple[str, ...]:
    """What is wrong once a copy has bought something."""
    async with opened(settings) as core:
        found = await core.reads.find(CARDS, ALL)
        assert len(found) == CLIENTS
        command = purchase(client_name(CLIENTS - 1), "receipt")
        await core.path.execute(command, Call(request_id="request"))
        return (await Verification(core, MODELS).run()).problems


async def test_copies_in_a_file_are_what_commands_leave(tmp_path: Path) -> None:
    """Chains, positions, states and read models of copies agree, and commands go on from them."""
    settings = Settings(data_dir=tmp_path)
    await seeded(settings, SEEDED)
    copy_in_sqlite(settings.database, 1, 2, COPIES)

    assert await _problems(settings) == ()


async def test_copies_in_a_database_are_what_commands_leave(tmp_path: Path) -> None:
    """So they do in PostgreSQL."""
    async with postgres_server.database() as url:
        settings = Settings(data_dir=tmp_path, database_url=url)
        await seeded(settings, SEEDED)
        await copy_in_postgres(url, 1, 2, COPIES)

        assert await _problems(settings) == ()


async def test_a_client_with_a_history_is_not_copied(tmp_path: Path) -> None:
    """Rows that would be left out are found before anything is written."""
    settings = Settings(data_dir=tmp_path)
    await seeded(settings, SEEDED)

    with pytest.raises(NotPlainError):
        copy_in_sqlite(settings.database, 0, 2, COPIES)
