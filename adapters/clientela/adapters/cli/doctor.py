"""
`clientela doctor`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import stat
import sys

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clientela.adapters.cli.failure import Exit
from clientela.adapters.cli.options import DataDir, Format, Output, Way, verb


if TYPE_CHECKING:
    from clientela.adapters.settings import Settings

DISK_BYTES_MIN = 1_000_000_000
"""Free room below which there is a warning."""

GOOD, POOR, BAD = "good", "poor", "bad"


@attrs.frozen
class Finding:
    """
    What one look found.

    Attributes:
        what: What was looked at.

        state: `GOOD`, `POOR` or `BAD`.

        text: What was found, and what to do.
    """

    what: str
    state: str
    text: str


@verb
def doctor(*, data_dir: DataDir = None, output: Format = Output.TABLE) -> Exit | None:
    """
    Look at everything a service needs here: files, permissions, keys, clock, port, settings.

    Changes nothing. Ends with 5 if anything is bad.
    """
    from clientela.adapters.cli.output import table, written

    settings = Way(data_dir=data_dir).settings()
    found = list(_findings(settings))
    if output is Output.JSON:
        written([attrs.asdict(each) for each in found])
    else:
        table("", ("", "what", ""), [(each.state, each.what, each.text) for each in found])
    return Exit.PROBLEMS if any(each.state == BAD for each in found) else None


def _findings(settings: Settings) -> Iterator[Finding]:
    yield Finding("python", GOOD, sys.version.split()[0])
    yield _sqlite()
    yield _folder(settings)
    yield _room(settings)
    yield _keys(settings)
    yield from _store(settings)
    yield from _service(settings)
    yield from _unsafe(settings)


def _sqlite() -> Finding:
    from clientela.adapters.sqlite.connection import OldSqliteError, check_version

    try:
        check_version()
    except OldSqliteError as error:
        return Finding("sqlite", BAD, str(error))
    return Finding("sqlite", GOOD, sqlite3.sqlite_version)


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    if not folder.exists():
        return Finding("data folder", POOR, f"{folder} is not there yet; serve makes it")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return Finding("data folder", BAD, f"{folder} cannot be written; see to its owner")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        return Finding("data folder", POOR, f"others may look into it; run `chmod 700 {folder}`")
    return Finding("data folder", GOOD, str(folder.resolve()))


def _room(settings: Settings) -> Finding:
    folder = settings.data_dir
    free = shutil.disk_usage(folder if folder.is_dir() else ".").free
    state = GOOD if free >= DISK_BYTES_MIN else POOR
    return Finding("disk", state, f"{free / 1e9:.1f} GB free")


def _keys(settings: Settings) -> Finding:
    from clientela.adapters.keys.failures import KeyFileError
    from clientela.adapters.keys.keyfile import KeyFile

    if not settings.key_file.exists() and not settings.database.exists():
        return Finding("keys", POOR, "there are none yet; serve makes them")
    try:
        ring = KeyFile(settings.key_file).load()
    except KeyFileError as error:
        return Finding("keys", BAD, str(error))
    from clientela.adapters.bootstrap import KEYRING

    noted = _note(settings, KEYRING)
    if noted is not None and noted != ring.fingerprint:
        return Finding("keys", BAD, f"{settings.key_file} is not the key file of this database")
    return Finding("keys", GOOD, f"{settings.key_file}, for its owner only")


def _store(settings: Settings) -> Iterator[Finding]:
    from clientela.adapters.bootstrap import REAL
    from clientela.adapters.migrations import available, plan
    from clientela.adapters.sqlite.schema import DIALECT, SqliteSchema
    from clientela.services.operations import CLOCK
    from clientela.services.store_errors import StoreError

    if not settings.database.exists():
        yield Finding("store", POOR, "there is none yet; serve makes it")
        return
    try:
        with _read(settings) as connection:
            pending = plan(available(DIALECT), SqliteSchema(connection).applied())
    except (sqlite3.Error, StoreError) as error:
        yield Finding("store", BAD, str(error))
        return
    if pending:
        yield Finding("store", BAD, "of an older release; make a copy, run `clientela migrate up`")
        return
    yield Finding("store", GOOD, str(settings.database.resolve()))
    clock = _note(settings, CLOCK)
    if clock not in {None, REAL}:
        yield Finding("clock", POOR, f"virtual, at {clock}: a trial store")
    else:
        yield Finding("clock", GOOD, "real time")


def _service(settings: Settings) -> Iterator[Finding]:
    from clientela.adapters.addresses import found

    said = found(settings.address_file)
    if said is not None:
        host, _, port = said.target.rpartition(":")
        if _is_open(host, int(port)):
            yield Finding("service", GOOD, f"runs at {said.target}, process {said.pid}")
            return
        yield Finding("service", POOR, f"one was killed; {settings.address_file} is left of it")
    if _is_open(settings.host, settings.port):
        text = f"something else listens on {settings.host}:{settings.port}; name another port"
        yield Finding("port", BAD, text)
    else:
        yield Finding("port", GOOD, f"{settings.host}:{settings.port} is free")


def _unsafe(settings: Settings) -> Iterator[Finding]:
    from clientela.adapters.settings import Mode, unknown_variables

    if settings.mode is Mode.DEVELOPMENT:
        text = "development: callers on this machine are believed; say --mode production"
        yield Finding("mode", POOR, text)
    if settings.mode is Mode.PRODUCTION and settings.tls_certificate is None:
        yield Finding("encryption", POOR, "none; only this machine will be listened to")
    for path in (settings.jwks_file, settings.tls_certificate, settings.tls_key):
        if path is not None and not os.access(path, os.R_OK):
            yield Finding("file", BAD, f"{path} cannot be read")
    for variable in unknown_variables(os.environ):
        yield Finding("environment", POOR, f"{variable} is no setting; is it misspelt?")


def _is_open(host: str, port: int) -> bool:
    if not port:
        return False
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host.strip("[]"), port)) == 0


def _read(settings: Settings) -> contextlib.closing[sqlite3.Connection]:
    path = settings.database.resolve()
    return contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True))


def _note(settings: Settings, name: str) -> str | None:
    from clientela.adapters.sqlite.reading import note

    try:
        with _read(settings) as connection:
            return note(connection, name)
    except sqlite3.Error:
        return None
