"""
`clientela migrate`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import DataDir, Format, Output, Way, done, verb


if TYPE_CHECKING:
    from clientela.adapters.migrations import Status
    from clientela.adapters.settings import Settings

migrate = typer.Typer(help="The shape of the database.", no_args_is_help=True)


DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="PostgreSQL database of the store (CLIENTELA_DATABASE_URL).",
        show_default=False,
    ),
]


@migrate.command()
@verb
def status(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None, output: Format = Output.TABLE
) -> Exit | None:
    """List every step of this release and whether the database went through it."""
    _show(_status(Way(data_dir=data_dir).settings(database_url=database_url)), output)
    return None


@migrate.command()
@verb
def plan(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None, output: Format = Output.TABLE
) -> Exit | None:
    """List the steps that `up` would take."""
    settings = Way(data_dir=data_dir).settings(database_url=database_url)
    _show([each for each in _status(settings) if not each.is_applied], output)
    return None


@migrate.command()
@verb
def up(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    positions: Annotated[
        str,
        typer.Option(
            help="How an empty PostgreSQL database gives positions: xmin or counter."
            " Default: what its server can do.",
            show_default=False,
        ),
    ] = "",
) -> Exit | None:
    """
    Bring the database to this release, and let it go on with the rule sets installed here.

    Make a copy first: there is no way back.
    """
    settings = Way(data_dir=data_dir).settings(database_url=database_url)
    pending = [each for each in _status(settings) if not each.is_applied]
    if settings.database_url:
        done(_up_server(settings.database_url, positions))
    else:
        _up_file(settings)
    print(f"Took {len(pending)} steps; the database is of this release.")
    return None


@migrate.command()
@verb
def copy(
    to: Annotated[
        str,
        typer.Option("--to", help="Empty PostgreSQL database, postgresql://..., or new folder."),
    ],
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> Exit | None:
    """
    Copy a store that is not served to a database of another kind, all of it or nothing.

    The key file is not copied: the service over the copy needs the same one. Read models are made
    anew at the first read.
    """
    from pathlib import Path

    from clientela.adapters.transfer.moving import is_url

    settings = Way(data_dir=data_dir).settings(database_url=database_url)
    source = settings.database_url or str(settings.database)
    target = to if is_url(to) else str(Path(to) / settings.database.name)
    done(_copied(source, target))
    return None


@migrate.command()
@verb
def epoch(*, database_url: DatabaseUrl = None, data_dir: DataDir = None) -> Exit | None:
    """
    Say that a PostgreSQL database was restored from an older copy, before it is served again.

    Whoever follows its events learns that it began another life. Whoever was erased since the copy
    is erased again at the next start, as far as this folder's list of erasures tells.
    """
    settings = Way(data_dir=data_dir).settings(database_url=database_url)
    if not settings.database_url:
        raise VerbError(
            Exit.FAILED, "no database is named", advice="`clientela restore` does it for a file."
        )
    print(f"The database is in its life {asyncio.run(_raised(settings.database_url))}.")
    return None


async def _raised(url: str) -> str:
    from clientela.adapters.postgres.opening import connected
    from clientela.adapters.postgres.restored import raise_epoch

    async with connected(url) as connection:
        return await raise_epoch(connection)


async def _copied(source: str, target: str) -> None:
    from clientela.adapters.transfer.moving import move

    moved = await move(source, target)
    print(
        f"Copied {moved['events']:,} events of {moved['journals']:,} journals"
        f" and {moved.total():,} rows in all; what arrived is what was sent."
    )


def _up_file(settings: Settings) -> None:
    from clientela.adapters.assembly import installed_rulebook
    from clientela.adapters.sqlite.connection import transaction
    from clientela.adapters.sqlite.opening import RULEBOOK, open_database
    from clientela.adapters.sqlite.writing import write_note

    database = open_database(settings.database, "", may_migrate=True)
    try:
        with transaction(database.writer):
            write_note(database.writer, RULEBOOK, installed_rulebook().fingerprint)
    finally:
        database.close()


async def _up_server(url: str, positions: str) -> None:
    from clientela.adapters.assembly import installed_rulebook
    from clientela.adapters.postgres.opening import prepare

    await prepare(url, installed_rulebook().fingerprint, may_migrate=True, wanted=positions)


def _status(settings: Settings) -> tuple[Status, ...]:
    from clientela.adapters.migrations import available, status
    from clientela.adapters.sqlite.schema import DIALECT, SqliteSchema

    if settings.database_url:
        return asyncio.run(_server_status(settings.database_url))
    with _connection(settings) as connection:
        return status(available(DIALECT), SqliteSchema(connection).applied())


async def _server_status(url: str) -> tuple[Status, ...]:
    from clientela.adapters.migrations import available, status
    from clientela.adapters.postgres.opening import connected
    from clientela.adapters.postgres.schema import DIALECT, applied

    async with connected(url) as connection:
        return status(available(DIALECT), await applied(connection))


@contextlib.contextmanager
def _connection(settings: Settings) -> Generator[sqlite3.Connection]:
    from clientela.adapters.sqlite.connection import check_identity, connect

    path = settings.database
    if not path.exists():
        raise VerbError(
            Exit.FAILED, f"there is no database at {path}", advice="`clientela serve` makes one."
        )
    connection = connect(path)
    try:
        check_identity(connection, path)
        yield connection
    finally:
        connection.close()


def _show(steps: Iterable[Status], output: Output) -> None:
    from clientela.adapters.cli.output import table, written

    rows = [(s.migration.number, s.migration.name, s.is_applied) for s in steps]
    if output is Output.JSON:
        written([{"number": n, "name": name, "applied": done} for n, name, done in rows])
    elif not rows:
        print("Nothing is to be done.")
    else:
        table("", ("step", "what", "done"), rows)
