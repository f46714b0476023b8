"""
Masks of fingerprints: an answer that concerns a journal can be read while the journal has its mask.

A journal's mask is made with the first answer that concerns it and destroyed with its person. Those
that were read or made are remembered, so that writing an answer asks for none. A remembered one may
have been destroyed meanwhile by another process: then nobody can read what it hides, as it should
be.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3

from collections import OrderedDict
from collections.abc import Iterable

from clientela.adapters.sqlite.many import find
from clientela.adapters.sqlite.values import Name
from clientela.domain.fingerprint import NOTHING, Fingerprint
from clientela.domain.ids import Blind


MASK_LENGTH = 32

GONE = bytes(MASK_LENGTH)
"""A destroyed mask."""

REMEMBERED_MAX = 50_000
"""Masks remembered: some ten megabytes."""


class Masks:
    """Remembers the masks last used, and which journals have none yet."""

    def __init__(self) -> None:
        self._known: OrderedDict[Name, bytes | None] = OrderedDict()

    def unknown(self, journals: Iterable[Name]) -> tuple[Name, ...]:
        """Those of *journals* of which it is not known whether they have one."""
        return tuple(name for name in journals if name not in self._known)

    def learn(self, journal: Name, mask: bytes | None) -> None:
        """Remember a committed mask, or that there was none a moment ago."""
        self._known[journal] = mask or self._known.get(journal)
        self._known.move_to_end(journal)
        while len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)

    def forget(self, journals: Iterable[Name]) -> None:
        """Know nothing of *journals* any more."""
        for name in journals:
            self._known.pop(name, None)

    def of(self, journal: Name) -> bytes | None:
        """The mask of a journal, as far as it is known."""
        return self._known.get(journal)


def fresh_mask() -> bytes:
    """A mask for a journal that has none."""
    return secrets.token_bytes(MASK_LENGTH)


def masked(request: Blind, fingerprint: Fingerprint, masks: Iterable[bytes]) -> str:
    """The fingerprint in the answer to *request*, hidden; empty if a mask is destroyed."""
    used = tuple(masks)
    return "" if GONE in used else _crossed(fingerprint.encode(), used, request).hex()


def unmasked(request: Blind, hidden: str, masks: Iterable[bytes]) -> Fingerprint:
    """The fingerprint again; empty if a mask is destroyed."""
    used = tuple(masks)
    if GONE in used:
        return NOTHING
    return Fingerprint(_crossed(bytes.fromhex(hidden), used, request).decode())


_MASKS = "SELECT kind, id, mask FROM masks WHERE (kind, id) IN (VALUES {rows})"


def masks_of(connection: sqlite3.Connection, journals: Iterable[Name]) -> dict[Name, bytes]:
    """The masks of those journals that have one."""
    return {(kind, id_): mask for kind, id_, mask in find(connection, _MASKS, tuple(journals))}


_DESTROY = """
INSERT INTO masks (kind, id, mask) VALUES (?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET mask = excluded.mask
"""


def destroy_mask(connection: sqlite3.Connection, journal: Name) -> None:
    """Overwrite the mask of a journal where it stands, for ever."""
    connection.execute(_DESTROY, (*journal, GONE))


def _crossed(text: bytes, masks: Iterable[bytes], request: Blind) -> bytes:
    stream = hashlib.shake_256(b"".join((*masks, request.encode()))).digest(len(text))
    return (int.from_bytes(text) ^ int.from_bytes(stream)).to_bytes(len(text))
