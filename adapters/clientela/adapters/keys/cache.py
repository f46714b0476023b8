"""
Unwrapped keys: few, and for a minute.
"""

from __future__ import annotations

import threading

from collections import OrderedDict
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clientela.domain.ids import JournalId


PERSONS_MAX = 4096
"""Unwrapped keys kept at once; each takes about 2.5 KiB."""

AGE_SECONDS_MAX = 60.0
"""An unwrapped key is used this long at most, so that an erased one is gone within a minute."""


class KeyCache:
    """
    Ciphers by person; the least recently used goes first, and none is older than the maximum.

    Safe to use from several threads.

    Args:
        clock: Seconds on a clock that never goes back.

        persons_max: How many.
    """

    def __init__(self, clock: Callable[[], float], persons_max: int = PERSONS_MAX) -> None:
        self._clock = clock
        self._persons_max = persons_max
        self._kept: OrderedDict[JournalId, tuple[float, AESGCM]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, person: JournalId) -> AESGCM | None:
        """The cipher of *person*, if it is here and not too old."""
        with self._lock:
            kept = self._kept.get(person)
            if kept is None:
                return None
            if self._clock() - kept[0] > AGE_SECONDS_MAX:
                del self._kept[person]
                return None
            self._kept.move_to_end(person)
            return kept[1]

    def put(self, person: JournalId, cipher: AESGCM) -> None:
        """Keep *cipher*; its age begins now."""
        with self._lock:
            self._kept[person] = (self._clock(), cipher)
            self._kept.move_to_end(person)
            if len(self._kept) > self._persons_max:
                self._kept.popitem(last=False)

    def drop(self, person: JournalId) -> None:
        """Forget *person* at once."""
        with self._lock:
            self._kept.pop(person, None)

    def sweep(self) -> None:
        """Forget whatever is too old, used or not."""
        with self._lock:
            oldest = self._clock() - AGE_SECONDS_MAX
            for person in [p for p, (since, _) in self._kept.items() if since < oldest]:
                del self._kept[person]
