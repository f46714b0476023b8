"""
Masks of fingerprints: an answer that concerns a journal can be read while the journal has its mask.

A journal's mask is made with the first answer that concerns it and destroyed with its person. What
was read of them is remembered, so that writing an answer asks for none. A remembered one may have
been destroyed meanwhile by another process: then nobody can read what it hides, as it should be.
"""

from __future__ import annotations

import hashlib
import secrets

from collections import OrderedDict
from collections.abc import Iterable

from clientela.domain.fingerprint import NOTHING, Fingerprint
from clientela.domain.ids import Blind, JournalId


MASK_LENGTH = 32

GONE = bytes(MASK_LENGTH)
"""A destroyed mask."""

REMEMBERED_MAX = 50_000
"""Masks remembered: some ten megabytes."""


class Masks:
    """Remembers the masks last used, and which journals have none yet."""

    def __init__(self) -> None:
        self._known: OrderedDict[JournalId, bytes | None] = OrderedDict()

    def unknown(self, journals: Iterable[JournalId]) -> tuple[JournalId, ...]:
        """Those of *journals* of which it is not known whether they have one."""
        return tuple(journal_id for journal_id in journals if journal_id not in self._known)

    def learn(self, journal_id: JournalId, mask: bytes | None) -> None:
        """Remember a committed mask, or that there was none a moment ago."""
        self._known[journal_id] = mask or self._known.get(journal_id)
        self._known.move_to_end(journal_id)
        while len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)

    def forget(self, journals: Iterable[JournalId]) -> None:
        """Know nothing of *journals* any more."""
        for journal_id in journals:
            self._known.pop(journal_id, None)

    def of(self, journal_id: JournalId) -> bytes | None:
        """The mask of a journal, as far as it is known."""
        return self._known.get(journal_id)


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


def _crossed(text: bytes, masks: Iterable[bytes], request: Blind) -> bytes:
    # As in a file of SQLite, so that answers move from one to the other.
    stream = hashlib.shake_256(b"".join((*masks, request.encode()))).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, stream, strict=True))
