"""
The beginning: what the first process over a store settles for good, its keys and its clock.

    noted? -- yes --> as noted, or refused
      | no
      +--> alone among all processes: noted by now? -- no --> settled and noted
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.settings import Settings
from clientela.adapters.stores import Store, duties_of, fence_of
from clientela.adapters.vault import KeyVault
from clientela.services.clocks import SystemClock, VirtualClock
from clientela.services.fresh_ids import new_id
from clientela.services.operations import CLOCK
from clientela.services.store_errors import StoreUnsuitableError


KEYRING = "keyring"
"""Note: fingerprint of the keyring whose keys seal the store."""

REAL = "real"
"""What the note `CLOCK` says of a store in real time."""

VIRTUAL_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the virtual clock of a new store stands."""

LEASE = "beginning"
"""Name of the lease of the process that settles."""

LEASE_TTL = timedelta(seconds=10)
"""How long one that died while settling holds the others up."""

AGAIN_S = 0.05
"""Seconds between two looks whether another one is done."""


class OtherKeysError(StoreUnsuitableError):
    """
    The key file is not the one this database is sealed with.

    Attributes:
        path: The key file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is not the key file of this database: put the right one back")


class RotatedKeysError(StoreUnsuitableError):
    """
    The key file and the database are of two sides of a rotation of keys.

    Attributes:
        path: The key file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path} does not open this database, since one of them is of before a rotation of"
            " keys: put back the key file of its time, or a later copy of the database"
        )


class OtherClockError(StoreUnsuitableError):
    """
    A store that runs in real time was asked to run in virtual time.

    Attributes:
        path: The folder of the store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"the store in {path} runs in real time: a virtual clock is for a new, empty one;"
            " name another folder, or leave the virtual clock out"
        )


async def begun(
    settings: Settings, store: Store, key_file: KeyFile
) -> tuple[KeyVault, SystemClock | VirtualClock]:
    """
    The vault and the clock of the store: settled now if it is new, else as it has them.

    Args:
        settings: Ask for virtual time, if so.

        store: Open.

        key_file: Made for a new store.

    Raises:
        OtherKeysError: the store is sealed with other keys.

        RotatedKeysError: they are of before a rotation of its keys, or of after one.

        OtherClockError: it runs in real time, and virtual time is asked for.

        KeyFileError: the key file must not be used.

        StoreUnavailableError: the store cannot be reached.
    """
    if await store.note(CLOCK) is None:
        async with _alone(store):
            if await store.note(CLOCK) is None:
                await _settle(settings, store, key_file)
    # A rotation writes to the key file first: what it has begun opens both.
    fence = await fence_of(store)
    vault = KeyVault(key_file)
    if await store.note(KEYRING) != vault.ring.fingerprint:
        raise OtherKeysError(key_file.path)
    if fence and not vault.ring.holds(fence):
        raise RotatedKeysError(key_file.path)
    noted = await store.note(CLOCK) or REAL
    if noted == REAL and settings.virtual_clock:
        raise OtherClockError(settings.data_dir)
    is_real = noted == REAL
    return vault, SystemClock() if is_real else VirtualClock(datetime.fromisoformat(noted))


async def _settle(settings: Settings, store: Store, key_file: KeyFile) -> None:
    """The clock is noted last: whoever is interrupted before it begins anew."""
    if await store.note(KEYRING) is None:
        key_file.create()
        ring = KeyVault(key_file).ring
        await store.fence_keys(ring.current.id)
        await store.note(KEYRING, ring.fingerprint)
    is_virtual = settings.virtual_clock and not await store.last_position()
    await store.note(CLOCK, VIRTUAL_BEGIN.isoformat() if is_virtual else REAL)


@asynccontextmanager
async def _alone(store: Store) -> AsyncGenerator[None]:
    """From here to the end of the block no other process settles anything."""
    leases, holder = duties_of(store), new_id()
    while True:
        lease = await leases.acquire(LEASE, holder, LEASE_TTL)
        if lease is not None:
            break
        await asyncio.sleep(AGAIN_S)
    try:
        yield
    finally:
        await leases.release(lease)
