"""
Appends that are written together, by a few statements for all of them.

    claims      journals, keys, answers, keys of persons: rows changed or found
    the rest    events, due moments, snapshots, audit, erasures

Is a claim missing, the group fails whole and whoever wrote it rolls it back; who it was that lost
is found by asking for each of them, see `refusals`.
"""

from __future__ import annotations

import itertools
import sqlite3

from clientela.adapters.sqlite.claims import Claims
from clientela.adapters.sqlite.erasures import erase, erasures_of
from clientela.adapters.sqlite.key_rows import fence, make_keys
from clientela.adapters.sqlite.masks import Masks, fresh_mask, masked, masks_of
from clientela.adapters.sqlite.reading import last_position
from clientela.adapters.sqlite.reserved import release, reserve
from clientela.adapters.sqlite.values import (
    Name,
    Row,
    answer_text,
    concerned,
    instant,
    name_of,
)
from clientela.adapters.sqlite.writing import (
    claim_journals,
    write_answers,
    write_audit,
    write_due,
    write_events,
    write_masks,
    write_snapshots,
)
from clientela.domain.ids import own_journals
from clientela.services.rows import Append


class LostError(Exception):
    """A claim of a group does not hold; some of it may be written and must be rolled back."""

    def __init__(self) -> None:
        super().__init__("a claim does not hold")


class Group:
    """
    Appends in order.

    Args:
        masks: Those remembered.
    """

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._appends: list[Append] = []
        self._claims = Claims()
        self._made_masks: dict[Name, bytes] = {}
        self._erases = False

    def take(self, append: Append) -> bool:
        """
        Take an append in, if it goes with those here; says whether it does.

        Anything goes with nothing, and what erases goes with nothing else.
        """
        if self._appends and (self._erases or append.keys.forgotten):
            return False
        if not self._claims.admits(append):
            return False
        self._claims.add(append)
        self._appends.append(append)
        self._erases = bool(append.keys.forgotten)
        return True

    def write(self, connection: sqlite3.Connection) -> list[int]:
        """
        Write everything.

        Returns:
            Position of the last event after each append.

        Raises:
            LostError: somebody was faster.
        """
        self._claim(connection)
        events = [event for append in self._appends for event in append.events]
        write_events(connection, events)
        write_due(
            connection,
            {name_of(j): at for append in self._appends for j, at in append.due.items()},
        )
        snapshots = {s.journal: s for append in self._appends for s in append.snapshots}
        write_snapshots(connection, tuple(snapshots.values()))
        for append in self._appends:
            for erasure in erasures_of(append):
                erase(connection, erasure, append.keys.scopes)
        write_audit(connection, [row for append in self._appends for row in append.audit])
        self._remember()
        begin = last_position(connection) - len(events)
        counts = itertools.accumulate(len(append.events) for append in self._appends)
        return [begin + count for count in counts]

    def _claim(self, connection: sqlite3.Connection) -> None:
        """Write what may be lost to others."""
        claims = self._claims.journals
        if claim_journals(connection, claims) != len(claims):
            raise LostError
        for append in self._appends:
            for key in append.release:
                release(connection, key)
        keys = {key: held for append in self._appends for key, held in append.reserve}
        if reserve(connection, keys) != len(keys):
            raise LostError
        answers = self._answered(connection)
        write_masks(connection, self._made_masks)
        if write_answers(connection, answers) != len(answers):
            raise LostError
        made = [row for append in self._appends for row in append.keys.made]
        if make_keys(connection, made) != len(made):
            raise LostError
        kek_id = fence(connection) if made else None
        if kek_id is not None and self._claims.kek_ids != {kek_id}:
            raise LostError

    def _answered(self, connection: sqlite3.Connection) -> list[Row]:
        """Answers as they are kept, their fingerprints masked."""
        answers = [
            (append.answer, concerned(append.answer))
            for append in self._appends
            if append.answer is not None
        ]
        unknown = self._masks.unknown({name for _, names in answers for name in names})
        for name, mask in masks_of(connection, unknown).items():
            self._masks.learn(name, mask)
        rows: list[Row] = []
        for answer, names in answers:
            hidden = masked(answer.request, answer.fingerprint, map(self._mask, names))
            rows.append((answer.request, instant(answer.at), answer_text(answer, hidden)))
        return rows

    def _mask(self, name: Name) -> bytes:
        mask = self._masks.of(name) or self._made_masks.get(name)
        if mask is None:
            mask = self._made_masks[name] = fresh_mask()
        return mask

    def _remember(self) -> None:
        """Remember masks that were made, and none that was destroyed."""
        for name, mask in self._made_masks.items():
            self._masks.learn(name, mask)
        for append in self._appends:
            for person in append.keys.forgotten:
                self._masks.forget(map(name_of, own_journals(person)))
