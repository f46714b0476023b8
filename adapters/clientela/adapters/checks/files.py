"""
Files and who may use them: the data folder, the database, the keys.
"""

from __future__ import annotations

import os
import stat

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from clientela.adapters.beginning import RotatedKeysError
from clientela.adapters.checks.finding import Finding, bad, good, poor
from clientela.adapters.keys.failures import KeyFileError
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.keyring import KEK_AGE_DAYS_MAX, Keyring
from clientela.adapters.settings import Settings


OTHERS = 0o077
"""Bits of a mode that let others in."""


def folder(settings: Settings) -> Finding:
    """What there is to say of the data folder."""
    path = settings.data_dir
    if not path.exists():
        return poor("data folder", f"{path} is not there yet; serve makes it")
    if not path.is_dir() or not os.access(path, os.W_OK):
        return bad("data folder", f"{path} cannot be written; see to its owner")
    if is_open(path):
        return poor("data folder", f"others may look into it; run `chmod 700 {path}`")
    return good("data folder", str(path.resolve()))


def keys(
    settings: Settings,
    noted: str | None,
    *,
    is_new: bool,
    fence: str = "",
    now: datetime | None = None,
) -> Iterator[Finding]:
    """
    What there is to say of the key file.

    Args:
        settings: Where it is.

        noted: Fingerprint of the keys that the store is sealed with; None if none is noted.

        is_new: Whether there is no store yet.

        fence: The key-encryption key that its new keys are wrapped under; empty if not known.

        now: The present moment; None for the machine's.
    """
    if is_new and not settings.key_file.exists():
        yield poor("keys", "there are none yet; serve makes them")
        return
    try:
        ring = KeyFile(settings.key_file).load()
    except KeyFileError as error:
        yield bad("keys", str(error))
        return
    if noted is not None and noted != ring.fingerprint:
        yield bad("keys", f"{settings.key_file} is not the key file of this store; put it back")
        return
    if fence and not ring.holds(fence):
        yield bad("keys", str(RotatedKeysError(settings.key_file)))
        return
    yield good("keys", f"{settings.key_file}, for its owner only")
    yield _age(ring, now or datetime.now(UTC))


def _age(ring: Keyring, now: datetime) -> Finding:
    days = (now - ring.current.made_at).days
    if ring.retiring is not None:
        return poor("key age", "a rotation was begun and not finished; run `clientela keys rotate`")
    if days > KEK_AGE_DAYS_MAX:
        text = f"{days} days; run `clientela keys rotate`, so that old copies of erased keys die"
        return poor("key age", text)
    return good("key age", f"{days} days")


def readable(paths: tuple[Path | None, ...]) -> Iterator[Finding]:
    """Of the files that are named, those that cannot be read."""
    for path in paths:
        if path is not None and not os.access(path, os.R_OK):
            yield bad("file", f"{path} cannot be read")


def is_open(path: Path) -> bool:
    """Whether others than its owner may use it."""
    return bool(stat.S_IMODE(path.stat().st_mode) & OTHERS)
