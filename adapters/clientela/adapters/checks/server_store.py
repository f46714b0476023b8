"""
The store in a PostgreSQL database, looked at without changing it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

import attrs

from clientela.adapters.beginning import KEYRING, REAL
from clientela.adapters.checks.clock import clock, offset
from clientela.adapters.checks.files import keys
from clientela.adapters.checks.finding import Finding, bad, good, poor
from clientela.adapters.checks.holders import holders
from clientela.adapters.postgres import changing, reading, schema
from clientela.adapters.postgres.connections import Connection
from clientela.adapters.postgres.leases import granted
from clientela.adapters.postgres.opening import connected
from clientela.adapters.postgres.positions import strategy_of
from clientela.adapters.postgres.profile import profile_of
from clientela.adapters.settings import Settings
from clientela.services.leases import Granted
from clientela.services.operations import CLOCK
from clientela.services.store_errors import StoreError


@attrs.frozen(kw_only=True)
class _Look:
    """
    What one look at a database found.

    Attributes:
        profile: Settings of the server.

        offset: Of its clock.

        is_empty: Whether no store was made yet.

        pending: Steps that it lacks.

        positions: How it gives positions.

        keyring: Fingerprint of the keys it is sealed with; None if none is noted.

        fence: The key-encryption key that its new keys are wrapped under; empty for any.

        clock: What its clock shows; None if that is not noted.

        last: When its last event was recorded.

        leases: Who does the work that one process alone does.
    """

    profile: Mapping[str, str]
    offset: Finding
    is_empty: bool
    pending: int = 0
    positions: str = ""
    keyring: str | None = None
    fence: str = ""
    clock: str | None = None
    last: datetime | None = None
    leases: Sequence[Granted] = ()


async def server_store(settings: Settings) -> AsyncIterator[Finding]:
    """What there is to say of the database, its server, the keys, both clocks and leases."""
    try:
        look = await _looked(settings.database_url)
    except StoreError as error:
        yield bad("database", str(error))
        return
    version = int(look.profile["server_version_num"])
    yield good("database", f"PostgreSQL {version // 10_000}.{version % 10_000}, durable")
    if look.profile["data_checksums"] == "on":
        yield good("checksums", "on")
    else:
        yield poor("checksums", "none; stop the server, run `pg_checksums --enable`")
    yield look.offset
    for finding in keys(settings, look.keyring, is_new=look.is_empty, fence=look.fence):
        yield finding
    if look.is_empty:
        yield poor("store", "the database is empty; serve makes the tables")
        return
    if look.pending:
        yield bad("store", "of an older release; make a copy, run `clientela migrate up`")
        return
    yield good("store", f"in the database, positions by {look.positions}")
    if look.clock in {None, REAL}:
        yield clock(look.last)
    else:
        yield poor("clock", f"virtual, at {look.clock}: a trial store")
    for finding in holders(look.leases, datetime.now(UTC)):
        yield finding


_NOW = "SELECT clock_timestamp()"


async def _looked(url: str) -> _Look:
    async with connected(url) as connection:
        before = datetime.now(UTC)
        there = await connection.fetchval(_NOW)
        look = _Look(
            profile=await profile_of(connection),
            offset=offset(there, before, datetime.now(UTC)),
            is_empty=await schema.is_empty(connection),
        )
        if look.is_empty:
            return look
        pending = len(await schema.pending(connection))
        if pending:
            return attrs.evolve(look, pending=pending)
        return attrs.evolve(
            look,
            positions=(await strategy_of(connection)).name,
            keyring=await reading.note(connection, KEYRING),
            fence=await changing.fence(connection),
            clock=await reading.note(connection, CLOCK),
            last=await _last(connection),
            leases=await granted(connection),
        )


async def _last(connection: Connection) -> datetime | None:
    """When the last event was recorded."""
    strategy = await strategy_of(connection)
    position, _ = await reading.last_position(connection, strategy)
    rows, _ = await reading.read_all(connection, strategy, position - 1, 1)
    return rows[0].recorded_at if rows else None
