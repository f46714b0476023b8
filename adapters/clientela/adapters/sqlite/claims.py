"""
What appends that are written together rest on, and whether another one goes with them.

An append goes with those before it unless it contradicts or undoes what they do: another version of
a journal, a key, a request or a person they touch. It may follow on what they leave.
"""

from __future__ import annotations

import attrs

from clientela.adapters.sqlite.values import Name, name_of
from clientela.domain.event import Key
from clientela.domain.ids import Blind, JournalId
from clientela.services.rows import Append, StoredEvent


_Claimed = tuple[Name, int, str]
"""A journal, its version, and the hash that it must end in; empty for any."""


@attrs.define
class Claim:
    """
    What a group rests on in a journal, and where it takes it.

    Attributes:
        before: Version it must be at.

        version: Version it is at after the appends so far.

        before_hash: Hash it must end in; empty for any.

        end: Its last event after them; None if it is not written to.
    """

    before: int
    version: int
    before_hash: str = ""
    end: StoredEvent | None = None

    @property
    def hash(self) -> str:
        """What it ends in after the appends so far; empty if that is not known."""
        return self.before_hash if self.end is None else self.end.hash


class Claims:
    """What a group of appends claims, each once."""

    def __init__(self) -> None:
        self.journals: dict[Name, Claim] = {}
        """Journals that it rests on or writes to."""
        self.kek_ids: set[str] = set()
        """Key-encryption keys that new keys are wrapped under: one at most."""
        self._keys: set[Key] = set()
        self._requests: set[Blind] = set()
        self._persons: set[JournalId] = set()

    def admits(self, append: Append) -> bool:
        """Whether *append* goes with those here."""
        made = append.keys.made
        return (
            all(self._is_at(*claimed) for claimed in _claimed(append))
            and self._keys.isdisjoint(key for key, _ in append.reserve)
            and self._keys.isdisjoint(append.release)
            and (append.answer is None or append.answer.request not in self._requests)
            and self._persons.isdisjoint(row.person for row in made)
            and (not self.kek_ids or self.kek_ids.issuperset(row.kek_id for row in made))
        )

    def add(self, append: Append) -> None:
        """Take in what *append* claims."""
        ends = {name_of(event.journal): event for event in append.events}
        for name, version, hash_ in _claimed(append):
            self._rest(name, version, hash_, ends.get(name))
        self._keys.update(append.release)
        self._keys.update(key for key, _ in append.reserve)
        if append.answer is not None:
            self._requests.add(append.answer.request)
        for row in append.keys.made:
            self._persons.add(row.person)
            self.kek_ids.add(row.kek_id)

    def _rest(self, name: Name, version: int, hash_: str, end: StoredEvent | None) -> None:
        """Rest on a journal, and take it to *end*."""
        claim = self.journals.get(name)
        if claim is None:
            claim = self.journals[name] = Claim(version, version, hash_)
        elif hash_ and claim.end is None:
            claim.before_hash = hash_
        if end is not None:
            claim.version, claim.end = end.version, end

    def _is_at(self, name: Name, version: int, hash_: str) -> bool:
        """Whether the appends so far leave a journal at *version* and, if told, in *hash_*."""
        claim = self.journals.get(name)
        if claim is None:
            return True
        return claim.version == version and (not claim.hash or hash_ in {"", claim.hash})


def _claimed(append: Append) -> list[_Claimed]:
    """Every journal that *append* rests on."""
    hashes = append.hashes
    return [
        (name_of(journal_id), version, hashes.get(journal_id, "") if hashes else "")
        for versions in (append.expected, append.facts)
        for journal_id, version in versions.items()
    ]
