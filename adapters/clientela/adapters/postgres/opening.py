"""
From a URL to a database that may be served: durable, of this release and this company.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

from clientela.adapters.postgres import positions, schema
from clientela.adapters.postgres.changing import write_note
from clientela.adapters.postgres.connections import Connection, connect
from clientela.adapters.postgres.failures import Errors, unavailable
from clientela.adapters.postgres.positions import Strategy
from clientela.adapters.postgres.profile import (
    WeakServerError,
    check_profile,
    profile_of,
    warn_of,
)
from clientela.adapters.postgres.reading import note
from clientela.adapters.postgres.restored import raise_epoch, reconcile
from clientela.adapters.sqlite.erasures import ErasureList
from clientela.adapters.sqlite.opening import EPOCH, RULEBOOK
from clientela.services.ports import GAPS
from clientela.services.store_errors import StoreUnavailableError, StoreUnsuitableError


TRIES_MAX = 20
"""How often an empty database is made, if other processes make it at the same time; each may wait
half a second for them."""

_MADE_BY_ANOTHER = (
    asyncpg.UniqueViolationError,
    asyncpg.DuplicateTableError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)
"""Another process has made the tables in the meantime, or is about to."""


class OtherDatabaseError(StoreUnsuitableError):
    """The database holds tables of somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "the database holds other tables than those of Clientela: name an empty one, "
            "or a schema of its own with ?options=-csearch_path=NAME"
        )


class MigrationNeededError(StoreUnsuitableError):
    """The database is older than this release."""

    def __init__(self) -> None:
        super().__init__(
            "the database is of an older release: make a backup, run `clientela migrate up`"
        )


class OtherRulebookError(StoreUnsuitableError):
    """The database holds facts of another composition of rule sets."""

    def __init__(self) -> None:
        super().__init__(
            "the database was written with other rule sets: start with those, or run "
            "`clientela migrate up` to go on with these"
        )


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Connection]:
    """
    A connection to a server that may be used, from here to the end of the block.

    Raises:
        WeakServerError: it must not be used.

        StoreUnavailableError: it cannot be reached, or breaks.
    """
    try:
        connection = await connect(url)
    except asyncpg.TargetServerAttributeNotMatched as error:
        raise WeakServerError("in_recovery", "true") from error
    except (*Errors, ValueError) as error:
        raise unavailable(error) from error
    try:
        check_profile(await profile_of(connection))
        yield connection
    except Errors as error:
        raise unavailable(error) from error
    finally:
        connection.terminate()


async def prepare(
    url: str,
    rulebook: str = "",
    *,
    may_migrate: bool = False,
    wanted: str = "",
    erasures: ErasureList | None = None,
) -> Strategy:
    """
    See to it that a database can be served; an empty one is made.

    Args:
        url: Of the database.

        rulebook: Fingerprint of the rulebook it must hold facts of; empty to accept any.

        may_migrate: Whether an older one, or one of another rulebook, is brought to this release.

        wanted: How an empty one is to give positions; empty to let the server decide.

        erasures: The list kept beside it, if there is one.

    Returns:
        How it gives positions.

    Raises:
        StoreUnsuitableError: it must not be served; the message says what to do.

        StoreUnavailableError: it cannot be reached.
    """
    async with connected(url) as connection:
        warn_of(await profile_of(connection))
        await _migrate(connection, wanted, may_migrate=may_migrate)
        await _check_rulebook(connection, rulebook, may_migrate=may_migrate)
        strategy = await positions.strategy_of(connection)
        if strategy.name == positions.XMIN and not await positions.has_xmin(connection):
            raise positions.OtherPositionsError(strategy.name)
        await positions.catch_up(connection, strategy)
        if not strategy.counts:
            await write_note(connection, GAPS, strategy.name)
        if await note(connection, EPOCH) is None:
            await raise_epoch(connection)
        if erasures is not None:
            await reconcile(connection, erasures)
        return strategy


async def _migrate(connection: Connection, wanted: str, *, may_migrate: bool) -> None:
    for _ in range(TRIES_MAX):
        known = await schema.applied(connection)
        if not known and not await schema.is_empty(connection):
            # Another process may have made what is there between the two looks.
            known = await schema.applied(connection)
            if not known:
                raise OtherDatabaseError
        pending = await schema.pending(connection)
        if known and pending and not may_migrate:
            raise MigrationNeededError
        if not pending:
            break
        try:
            async with connection.transaction():
                for migration in pending:
                    await schema.apply(connection, migration)
                await positions.choose(connection, wanted)
        except _MADE_BY_ANOTHER:
            continue
    else:
        raise StoreUnavailableError("other processes change the tables: try again")


async def _check_rulebook(connection: Connection, rulebook: str, *, may_migrate: bool) -> None:
    found = await note(connection, RULEBOOK)
    if rulebook in {"", found}:
        return
    if found is not None and not may_migrate:
        raise OtherRulebookError
    await write_note(connection, RULEBOOK, rulebook)
