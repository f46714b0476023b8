"""
Numbered plain-SQL files bring a database from one shape to the next, forwards only.

    schema/<dialect>/0001_journal.sql      number, name, statements

A file that was applied somewhere is never edited: its checksum is kept in the database, and a
database that remembers another one is refused, as is one that knows of a newer file.

    StoreUnsuitableError
      - MigrationChangedError        a file is not what was applied
      - SchemaNewerError             a newer release has been at this database
      - MigrationsMisnumberedError   the files of this release do not count 1, 2, 3 ...
"""

from __future__ import annotations

import hashlib

from collections.abc import Sequence
from importlib.resources import files
from typing import Protocol

import attrs

from clientela.services.store_errors import StoreUnsuitableError


class MigrationChangedError(StoreUnsuitableError):
    """
    A migration was edited after it had been applied.

    Attributes:
        number: Which one.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(
            f"migration {number} is not the one that this database went through; "
            "install the release that made it"
        )


class SchemaNewerError(StoreUnsuitableError):
    """
    The database went through a migration that this release does not have.

    Attributes:
        number: Which one.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(
            f"this database went through migration {number}, which this release does not know; "
            "install the newer release"
        )


class MigrationsMisnumberedError(StoreUnsuitableError):
    """
    The files of a dialect do not count 1, 2, 3 ...: the installation is broken.

    Attributes:
        dialect: Whose files.
    """

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        super().__init__(f"the migrations of {dialect} are misnumbered; install this release again")


@attrs.frozen
class Migration:
    """
    One numbered file.

    Attributes:
        number: From 1, without gaps.

        name: What it is about.

        sql: Its text.
    """

    number: int
    name: str
    sql: str = attrs.field(repr=False)

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def statements(self) -> tuple[str, ...]:
        """Its statements, each with what precedes it and without the semicolon that ends it."""
        parts = f"{self.sql.strip()}\n".split(";\n")
        return tuple(part.strip() for part in parts if part.strip())


@attrs.frozen
class Applied:
    """
    What a database remembers of a migration it went through.

    Attributes:
        number: Which one.

        checksum: Of its text as applied.
    """

    number: int
    checksum: str


class Schema(Protocol):
    """A database as seen by migrations."""

    def applied(self) -> Sequence[Applied]:
        """What it went through, in order; nothing for a fresh database."""
        ...

    def apply(self, migration: Migration) -> None:
        """Carry out one migration and remember it, in one transaction."""
        ...


@attrs.frozen
class Status:
    """
    Where a database stands with one migration.

    Attributes:
        migration: Which one.

        is_applied: Whether the database went through it.
    """

    migration: Migration
    is_applied: bool


def available(dialect: str) -> tuple[Migration, ...]:
    """
    The migrations of a dialect, in order.

    Raises:
        MigrationsMisnumberedError: one is missing.
    """
    folder = files("clientela.adapters").joinpath("schema", dialect)
    found = [
        Migration(int(number), name, file.read_text("utf-8"))
        for file in folder.iterdir()
        for number, _, name in (file.name.removesuffix(".sql").partition("_"),)
        if file.name.endswith(".sql")
    ]
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != [*range(1, len(found) + 1)]:
        raise MigrationsMisnumberedError(dialect)
    return tuple(found)


def plan(known: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """
    What of *known* is still to be applied, in order.

    Raises:
        SchemaNewerError: the database went through one that is not known.

        MigrationChangedError: the database went through another text.
    """
    checksums = {migration.number: migration.checksum for migration in known}
    for one in applied:
        if one.number not in checksums:
            raise SchemaNewerError(one.number)
        if one.checksum != checksums[one.number]:
            raise MigrationChangedError(one.number)
    done = {one.number for one in applied}
    return tuple(migration for migration in known if migration.number not in done)


def status(known: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Status, ...]:
    """
    Where a database stands with each of *known*.

    Raises:
        SchemaNewerError, MigrationChangedError: as for `plan`.
    """
    pending = plan(known, applied)
    return tuple(Status(migration, migration not in pending) for migration in known)


def up(
    schema: Schema, known: Sequence[Migration], *, is_dry_run: bool = False
) -> tuple[Migration, ...]:
    """
    Bring *schema* to the last of *known*, each step in its own transaction.

    Args:
        schema: The database.

        known: From `available`.

        is_dry_run: Only say what would be done.

    Returns:
        What was done, or would be.

    Raises:
        SchemaNewerError, MigrationChangedError: as for `plan`; nothing was done.
    """
    pending = plan(known, schema.applied())
    if not is_dry_run:
        for migration in pending:
            schema.apply(migration)
    return pending
