"""
How places in the order of commits are given, R10; audit rows are numbered in the same way.

    counter     the row of `positions` is counted up in the statement of the append: whoever comes
                second waits for the commit of the first. Without gaps; one commit at a time.
    xmin        (transaction id << 20 | index in the transaction) + ahead. Commits do not wait for
                each other, so a lower position may appear after a higher one: readers stop below
                the oldest transaction that is still running, the horizon.

The strategy is chosen when a database is made and stands in `positions`. `ahead` is raised when
positions would go back: transaction ids begin anew when rows are restored into another cluster.
"""

from __future__ import annotations

import attrs

from clientela.adapters.postgres.connections import Connection
from clientela.services.store_errors import StoreUnsuitableError


INDEX_BITS = 20
"""Bits of a position below the transaction id."""

ROWS_MAX = (1 << INDEX_BITS) - 1
"""Rows of one transaction that can be given positions."""

NO_HORIZON = (1 << 63) - 1
"""The horizon of those who need none."""

XMIN = "xmin"
COUNTER = "counter"


class OtherPositionsError(StoreUnsuitableError):
    """
    The database gives positions in a way that this release or this server does not.

    Attributes:
        strategy: Which way.
    """

    def __init__(self, strategy: str) -> None:
        self.strategy = strategy
        super().__init__(
            f"this database gives positions by {strategy!r}, which cannot be done here: "
            "install the release that made it, or restore it to the server it came from"
        )


@attrs.frozen
class Strategy:
    """
    One way to give positions.

    Attributes:
        name: As it stands in `positions`.

        begin: SQL of a row with `base` and `audit_base`, after which the rows of a transaction
            are numbered from 1; a counting one takes $1 events and $2 audit rows.

        counts: Whether *begin* takes the two numbers.

        horizon: SQL of the position from which on nothing may be handed out yet.
    """

    name: str
    begin: str
    counts: bool
    horizon: str


STRATEGIES = {
    COUNTER: Strategy(
        name=COUNTER,
        begin="""
    UPDATE positions SET last = last + $1::bigint, audited = audited + $2::bigint
    RETURNING last - $1::bigint AS base, audited - $2::bigint AS audit_base""",
        counts=True,
        horizon=str(NO_HORIZON),
    ),
    XMIN: Strategy(
        name=XMIN,
        begin=f"""
    SELECT taken.base, taken.base AS audit_base FROM (
        SELECT (pg_current_xact_id()::text::bigint << {INDEX_BITS}) + ahead AS base FROM positions
    ) AS taken""",  # noqa: S608  Made of constants.
        counts=False,
        horizon=f"""(
    SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << {INDEX_BITS}) + ahead
    FROM positions
)""",  # noqa: S608  Made of constants.
    ),
}

_PROBE = "SELECT pg_current_xact_id()::text::bigint > 0, pg_snapshot_xmin(pg_current_snapshot())"

_CHOOSE = """
INSERT INTO positions (one, strategy, last, audited, ahead) VALUES (1, $1, 0, 0, 0)
ON CONFLICT (one) DO NOTHING
"""

_CHOSEN = "SELECT strategy FROM positions"


async def choose(connection: Connection, wanted: str = "") -> None:
    """
    Note a strategy, if none is noted: *wanted*, or the best that the server can do.

    Raises:
        OtherPositionsError: there is no such strategy.
    """
    if wanted and wanted not in STRATEGIES:
        raise OtherPositionsError(wanted)
    await connection.execute(_CHOOSE, wanted or (XMIN if await has_xmin(connection) else COUNTER))


async def has_xmin(connection: Connection) -> bool:
    """Whether the server tells transaction ids and the oldest running one."""
    from asyncpg import PostgresError  # noqa: PLC0415

    try:
        async with connection.transaction():
            await connection.fetch(_PROBE)
    except PostgresError:
        return False
    return True


async def strategy_of(connection: Connection) -> Strategy:
    """
    The strategy noted.

    Raises:
        OtherPositionsError: it is not known here.
    """
    name = str(await connection.fetchval(_CHOSEN))
    if name not in STRATEGIES:
        raise OtherPositionsError(name)
    return STRATEGIES[name]


_CATCH_UP_COUNTER = """
UPDATE positions SET
    last = greatest(last, (SELECT coalesce(max(position), 0) FROM events)),
    audited = greatest(audited, (SELECT coalesce(max(number), 0) FROM audit))
"""

# What is committed lies below the next transaction id, unless that began anew.
_CATCH_UP_XMIN = f"""
UPDATE positions SET ahead = kept.last
FROM (
    SELECT greatest(
        (SELECT coalesce(max(position), 0) FROM events),
        (SELECT coalesce(max(number), 0) FROM audit)
    ) AS last
) AS kept
WHERE kept.last >= (pg_snapshot_xmax(pg_current_snapshot())::text::bigint << {INDEX_BITS}) + ahead
"""  # noqa: S608  Made of constants.


async def catch_up(connection: Connection, strategy: Strategy) -> None:
    """See to it that the next position is above every one there is."""
    await connection.execute(_CATCH_UP_COUNTER if strategy.counts else _CATCH_UP_XMIN)
