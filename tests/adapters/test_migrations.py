"""
Numbered plain-SQL migrations: planned, checked against what was applied, applied one by one.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Iterator
from contextlib import closing

import attrs
import pytest

from clientela.adapters import migrations
from clientela.adapters.migrations import (
    Applied,
    Migration,
    MigrationChangedError,
    MigrationsMisnumberedError,
    SchemaNewerError,
    Status,
    available,
    plan,
    status,
    up,
)
from clientela.adapters.sqlite.schema import DIALECT, SqliteSchema


SHELF = Migration(
    1,
    "shelf",
    """
-- Where migrations are remembered; this comment stays with its statement
CREATE TABLE migrations (number INTEGER, name TEXT, checksum TEXT, applied_at INTEGER);

CREATE TABLE shelf (
    id INTEGER PRIMARY KEY,
    label TEXT DEFAULT 'a;b'
);
""",
)
BOOK = Migration(2, "book", "CREATE TABLE book (id INTEGER PRIMARY KEY);\n")
BROKEN = Migration(3, "broken", "CREATE TABLE page (id INTEGER);\nCREATE TABLE shelf (id);\n")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """To an empty database in memory."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        yield opened


RELEASED: dict[str, str] = {}
"""Name and beginning of the checksum of each: added to with every release, never edited."""


def tables(connection: sqlite3.Connection) -> set[str]:
    """Names of the tables there."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def applied(*done: Migration) -> list[Applied]:
    """What a database remembers of these."""
    return [Applied(migration.number, migration.checksum) for migration in done]


def test_fresh_database_is_planned_to_go_through_everything():
    """What was not applied is planned, in order."""
    assert (SHELF, BOOK) == plan([SHELF, BOOK], [])
    assert (BOOK,) == plan([SHELF, BOOK], applied(SHELF))
    assert () == plan([SHELF, BOOK], applied(SHELF, BOOK))


def test_status_tells_each_migration():
    """Status lists every migration of the release and whether it was applied."""
    assert (Status(SHELF, True), Status(BOOK, False)) == status([SHELF, BOOK], applied(SHELF))


def test_database_of_a_newer_release_is_refused():
    """A database that went through a migration unknown here is not touched."""
    with pytest.raises(SchemaNewerError) as refusal:
        plan([SHELF], applied(SHELF, BOOK))

    assert 2 == refusal.value.number


def test_edited_migration_is_refused():
    """A file that is not what was applied is not built upon."""
    edited = attrs.evolve(SHELF, sql=SHELF.sql.replace("label", "title"))

    with pytest.raises(MigrationChangedError) as refusal:
        plan([edited, BOOK], applied(SHELF))

    assert 1 == refusal.value.number


def test_up_applies_what_is_pending_and_remembers_it(connection: sqlite3.Connection):
    """A second run does nothing."""
    schema = SqliteSchema(connection)

    assert (SHELF,) == up(schema, [SHELF])
    assert (BOOK,) == up(schema, [SHELF, BOOK])
    assert () == up(schema, [SHELF, BOOK])
    assert applied(SHELF, BOOK) == list(schema.applied())
    assert {"migrations", "shelf", "book"} == tables(connection)


def test_dry_run_changes_nothing(connection: sqlite3.Connection):
    """A dry run names what would be done."""
    assert (SHELF, BOOK) == up(SqliteSchema(connection), [SHELF, BOOK], is_dry_run=True)
    assert set() == tables(connection)


def test_failing_migration_leaves_the_one_before_it(connection: sqlite3.Connection):
    """Each migration is whole or absent."""
    with pytest.raises(sqlite3.OperationalError):
        up(SqliteSchema(connection), [SHELF, BOOK, BROKEN])

    assert applied(SHELF, BOOK) == list(SqliteSchema(connection).applied())
    assert {"migrations", "shelf", "book"} == tables(connection)


def test_released_migrations_are_never_edited():
    """The text of every released migration is fixed; a new shape is a new file."""
    assert RELEASED == {m.name: m.checksum[:16] for m in available(DIALECT)[: len(RELEASED)]}


def test_every_statement_of_a_migration_is_whole():
    """Splitting at semicolons that end a line cuts no statement of ours in two."""
    for migration in available(DIALECT):
        assert all(sqlite3.complete_statement(f"{text};") for text in migration.statements)
        text = [line for line in migration.sql.splitlines() if not line.startswith("--")]
        assert "\n".join(text).count(";") == len(migration.statements)


def test_missing_file_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Migrations count 1, 2, 3 without a gap; anything else in the folder is not one."""
    folder = tmp_path / "schema" / "abacus"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("Not a migration.")
    (folder / "0001_beads.sql").write_text("CREATE TABLE beads (id INTEGER);\n")
    (folder / "0003_rods.sql").write_text("CREATE TABLE rods (id INTEGER);\n")
    monkeypatch.setattr(migrations, "files", lambda _package: tmp_path)

    with pytest.raises(MigrationsMisnumberedError) as refusal:
        available("abacus")

    assert "abacus" == refusal.value.dialect
    (folder / "0003_rods.sql").rename(folder / "0002_rods.sql")
    assert ["beads", "rods"] == [migration.name for migration in available("abacus")]
