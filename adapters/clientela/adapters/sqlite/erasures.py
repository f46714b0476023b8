"""
Whose keys were destroyed, also in a file beside the database, so that a restored one forgets them.

The file holds one line an erasure: kind and id of the person and the scopes in which keys were
released with them, as JSON. It mirrors the table `erasures` and outlives the database: whatever it
has and the table lacks was erased after the backup that the database was restored from, and is
erased again before anything is served. Keep a copy of it apart from the machine.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import threading

from collections.abc import Iterable
from pathlib import Path

import attrs

from clientela.adapters.sqlite.files import PRIVATE, create
from clientela.adapters.sqlite.key_rows import forget
from clientela.adapters.sqlite.masks import destroy_mask
from clientela.adapters.sqlite.read_rows import drop_all
from clientela.adapters.sqlite.reserved import blank_fingerprints, release_all
from clientela.adapters.sqlite.values import journal_of, name_of
from clientela.domain.ids import JournalId, own_journals
from clientela.services.rows import Append


@attrs.frozen
class Erasure:
    """
    The destruction of one person's key.

    Attributes:
        person: Whose.

        scopes: Scopes in which keys were released with it, sorted.
    """

    person: JournalId
    scopes: tuple[str, ...] = ()


def erasures_of(append: Append) -> tuple[Erasure, ...]:
    """The erasures that an append commits."""
    if not append.keys.forgotten:
        return ()
    scopes = tuple(sorted({*append.keys.scopes, *(key.scope for key in append.release)}))
    return tuple(Erasure(person, scopes) for person in append.keys.forgotten)


class ErasureList:
    """
    The file of erasures; for all threads of one process.

    Args:
        path: Where; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        create(path)
        self._path = path
        self._turn = threading.Lock()

    def read(self) -> dict[Erasure, None]:
        """Every erasure listed, in order; a line cut short by a crash is none."""
        text, _ = self._whole_lines()
        return dict.fromkeys(_erasure(line) for line in text.splitlines())

    def add(self, erasures: Iterable[Erasure]) -> None:
        """List more erasures; they last when this returns."""
        lines = "".join(_line(erasure) for erasure in erasures)
        if lines:
            with self._turn:
                self._add(lines)

    def _add(self, lines: str) -> None:
        _, length = self._whole_lines()
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            os.ftruncate(file, length)
            written = os.pwrite(file, lines.encode(), length)
            os.fsync(file)
        finally:
            os.close(file)
        if written != len(lines.encode()):
            raise OSError(errno.ENOSPC, "the list of erasures was cut short")

    def _whole_lines(self) -> tuple[str, int]:
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        return whole.decode(), len(whole)


def _line(erasure: Erasure) -> str:
    return json.dumps([*name_of(erasure.person), list(erasure.scopes)]) + "\n"


def _erasure(line: str) -> Erasure:
    kind, id_, scopes = json.loads(line)
    return Erasure(journal_of(kind, id_), tuple(scopes))


_TABLE = "SELECT kind, id, scopes FROM erasures ORDER BY number"


def recorded(connection: sqlite3.Connection) -> dict[Erasure, None]:
    """Every erasure that the database knows of, in order."""
    rows = connection.execute(_TABLE)
    return dict.fromkeys(
        Erasure(journal_of(kind, id_), tuple(json.loads(scopes))) for kind, id_, scopes in rows
    )


def erase(connection: sqlite3.Connection, erasure: Erasure, scopes: Iterable[str]) -> None:
    """
    Destroy a person's key, and what is left of keyed hashes of them.

    Args:
        connection: That writes.

        erasure: Whose.

        scopes: In which they and their own wallet give back every key.
    """
    forget(connection, erasure.person, erasure.scopes)
    for journal_id in own_journals(erasure.person):
        for scope in scopes:
            release_all(connection, journal_id, scope)
        blank_fingerprints(connection, journal_id)
        destroy_mask(connection, name_of(journal_id))


def erase_again(connection: sqlite3.Connection, erasures: Iterable[Erasure]) -> None:
    """Destroy what a restored database brought back; read models are built anew without it."""
    for erasure in erasures:
        erase(connection, erasure, erasure.scopes)
    drop_all(connection)
