"""
Which store a service runs over, and what goes with it: a SQLite file or a PostgreSQL database.

What only PostgreSQL needs is loaded only for it, so that a service over a file runs without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from clientela.adapters.keeper import SqliteKeeper
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.memory_leases import MemoryLeases
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite import key_rows
from clientela.adapters.sqlite.erasures import ErasureList
from clientela.adapters.sqlite.leases import SqliteLeases
from clientela.adapters.sqlite.parked import SqliteParked
from clientela.adapters.sqlite.reads import SqliteReads
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.leases import Leases
from clientela.services.parked import Parked
from clientela.services.read_models import ReadStore
from clientela.services.store_errors import StoreUnsuitableError


if TYPE_CHECKING:
    from clientela.adapters.postgres.keeper import PostgresKeeper
    from clientela.adapters.postgres.store import PostgresStore

Store: TypeAlias = "SqliteStore | PostgresStore"
Keeper: TypeAlias = "SqliteKeeper | PostgresKeeper"


class DriverMissingError(StoreUnsuitableError):
    """The driver of PostgreSQL is not installed."""

    def __init__(self) -> None:
        super().__init__("PostgreSQL needs its driver: run `pip install 'clientela[postgres]'`")


async def open_postgres(settings: Settings, rulebook: str = "") -> PostgresStore:
    """
    The store in the database that *settings* name.

    Raises:
        StoreUnsuitableError: it must not be served; the message says what to do.

        StoreUnavailableError: it cannot be reached.
    """
    try:
        from clientela.adapters.postgres.store import PostgresStore  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise DriverMissingError from error
    erasures = ErasureList(settings.data_dir / "postgres.erasures")
    return await PostgresStore.open(settings.database_url, rulebook=rulebook, erasures=erasures)


def reads_of(store: Store) -> ReadStore:
    """Rows of read models in *store*."""
    if isinstance(store, SqliteStore):
        return SqliteReads(store)
    from clientela.adapters.postgres.reads import PostgresReads  # noqa: PLC0415

    return PostgresReads(store)


def leases_of(store: Store) -> Leases:
    """Leases granted from *store*."""
    if isinstance(store, SqliteStore):
        return SqliteLeases(store)
    from clientela.adapters.postgres.leases import PostgresLeases  # noqa: PLC0415

    return PostgresLeases(store)


def duties_of(store: Store) -> Leases:
    """
    Leases of background work over *store*: a file belongs to one process, which need not wait for
    one that died.
    """
    return MemoryLeases() if isinstance(store, SqliteStore) else leases_of(store)


async def fence_of(store: Store) -> str:
    """The key-encryption key that new keys in *store* are wrapped under; empty for any."""
    if isinstance(store, SqliteStore):
        return (await store.ask(key_rows.fence) or "").rstrip()
    from clientela.adapters.postgres import changing  # noqa: PLC0415

    return await store.ask(changing.fence)


def parked_of(store: Store) -> Parked:
    """Parked messages in *store*."""
    if isinstance(store, SqliteStore):
        return SqliteParked(store)
    from clientela.adapters.postgres.parked import PostgresParked  # noqa: PLC0415

    return PostgresParked(store)


def keeper_of(settings: Settings, store: Store, secrets: KeyFile) -> Keeper:
    """Who keeps the files of *store*."""
    data_dir = settings.data_dir.resolve()
    if isinstance(store, SqliteStore):
        return SqliteKeeper(data_dir=data_dir, store=store, secrets=secrets)
    from clientela.adapters.postgres.keeper import PostgresKeeper  # noqa: PLC0415

    return PostgresKeeper(data_dir=data_dir, store=store, secrets=secrets)
