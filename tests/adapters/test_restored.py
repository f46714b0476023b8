"""
Erasures carried out again after a restore.
"""

from __future__ import annotations

import pytest

from clientela.adapters.restored import erase_again
from clientela.adapters.sqlite.opening import ERASED_AGAIN
from clientela.domain.ids import ClientId, client_journal
from clientela.services.command_path import CommandPath
from tests.system.wire import served


PETRA, LENA = (client_journal(ClientId(name)) for name in ("petra", "lena"))


async def test_whom_another_process_adds_meanwhile_is_erased_again_too(tmp_path, monkeypatch):
    """
    S8: each process over a database adds those of its own list to the note of whom to erase again;
    none of them is lost by another one that has just done its part.
    """
    async with served(tmp_path) as service:
        path, store = service.running.core.path, service.running.core.store
        for name in ("petra", "lena"):
            await service.wire.call("RegisterClient", client_id=name)
        await store.note(ERASED_AGAIN, str(PETRA))
        execute = CommandPath.execute

        async def crossed(self, command, call):
            if not await store.swap_note("crossed", None, "once"):
                return await execute(self, command, call)
            await store.note(ERASED_AGAIN, f"{PETRA} {LENA}")
            return await execute(self, command, call)

        with monkeypatch.context() as patched:
            patched.setattr(CommandPath, "execute", crossed)
            count = await erase_again(path, store)
        clients = [await service.wire.call("GetClient", client_id=n) for n in ("petra", "lena")]
        noted = await store.note(ERASED_AGAIN)

    assert [True, True] == [client.HasField("erased_at") for client in clients]
    assert (2, "") == (count, noted)


@pytest.mark.parametrize("noted", [None, ""])
async def test_without_a_restore_nobody_is_erased_again(tmp_path, noted):
    """
    S8: a store that was never restored, or has done its part, is served as it is.
    """
    async with served(tmp_path) as service:
        path, store = service.running.core.path, service.running.core.store
        if noted is not None:
            await store.note(ERASED_AGAIN, noted)

        assert 0 == await erase_again(path, store)
        assert not await store.note(ERASED_AGAIN)
