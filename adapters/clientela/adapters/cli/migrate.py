"""
`clientela migrate`.
"""

from __future__ import annotations

import contextlib
import sqlite3

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import DataDir, Format, Output, Way, verb


if TYPE_CHECKING:
    from clientela.adapters.migrations import Status
    from clientela.adapters.settings import Settings

migrate = typer.Typer(help="The shape of the database.", no_args_is_help=True)


@migrate.command()
@verb
def status(*, data_dir: DataDir = None, output: Format = Output.TABLE) -> Exit | None:
    """List every step of this release and whether the database went through it."""
    _show(_status(Way(data_dir=data_dir).settings()), output)
    return None


@migrate.command()
@verb
def plan(*, data_dir: DataDir = None, output: Format = Output.TABLE) -> Exit | None:
    """List the steps that `up` would take."""
    steps = [each for each in _status(Way(data_dir=data_dir).settings()) if not each.is_applied]
    _show(steps, output)
    return None


@migrate.command()
@verb
def up(*, data_dir: DataDir = None) -> Exit | None:
    """
    Bring the database to this release, and let it go on with the rule sets installed here.

    Make a copy with `backup` first: there is no way back.
    """
    from clientela.adapters.assembly import installed_rulebook
    from clientela.adapters.sqlite.connection import transaction
    from clientela.adapters.sqlite.opening import RULEBOOK, open_database
    from clientela.adapters.sqlite.writing import write_note

    settings = Way(data_dir=data_dir).settings()
    pending = [each for each in _status(settings) if not each.is_applied]
    database = open_database(settings.database, "", may_migrate=True)
    try:
        with transaction(database.writer):
            write_note(database.writer, RULEBOOK, installed_rulebook().fingerprint)
    finally:
        database.close()
    print(f"Took {len(pending)} steps; the database is of this release.")
    return None


def _status(settings: Settings) -> tuple[Status, ...]:
    from clientela.adapters.migrations import available, status
    from clientela.adapters.sqlite.schema import DIALECT, SqliteSchema

    with _connection(settings) as connection:
        return status(available(DIALECT), SqliteSchema(connection).applied())


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
