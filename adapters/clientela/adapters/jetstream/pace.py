"""
One message after the other, or all as one: what the broker takes sooner.

A broker that syncs every message to disk takes a batch ten times as fast as its messages; one that
does not is slowed down by what a batch costs it. Nobody tells which one it is, so it is measured.
"""

from __future__ import annotations


BATCH_MIN = 32
"""Fewer messages than these never leave as a batch, and are no measure."""

BATCH_S = 0.03
"""What a batch is thought to take, in seconds, before one was sent."""

MESSAGE_S = 0.000_05
"""What a message in a row of many is thought to take, likewise."""

FORGET = 0.998
"""What is left of the last measure of a message after every batch: what was slow is tried again."""


class Pace:
    """What was measured of one broker."""

    def __init__(self) -> None:
        self._batch_s = BATCH_S
        self._message_s = MESSAGE_S

    def prefers_batch(self, count: int) -> bool:
        """Whether *count* messages are in sooner as a batch."""
        return count >= BATCH_MIN and count * self._message_s > self._batch_s

    def note_batch(self, took_s: float) -> None:
        """A batch took so many seconds."""
        self._batch_s = took_s
        self._message_s *= FORGET

    def note_messages(self, count: int, took_s: float) -> None:
        """So many messages in a row took so many seconds."""
        if count >= BATCH_MIN:
            self._message_s = took_s / count
