"""
Snapshots: the states of a journal as rows, so that it need not be folded from its first event.

    body   one line for each rule set of the journal, in the order of the rulebook
    line   name, version of the last event that it heard, state; a blank between them

A state is read when somebody first asks for it: most readers look at a few of them.
"""

from __future__ import annotations

from clientela.domain.codec import Codec
from clientela.domain.draft import State
from clientela.domain.ids import JournalId, JournalKind
from clientela.domain.record import Journal, Record, States
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet
from clientela.services.rows import Snapshot


SNAPSHOT_EVERY = 8
"""Events of a journal between two snapshots of it: reading these again takes as long as a look at
the store."""

LONG = 256
"""Events from which on a journal is long: its states may be, too."""

SNAPSHOT_EVERY_LONG = 16
"""Events of a long journal between two snapshots of it."""


class SpoiltSnapshotError(Exception):
    """
    A snapshot is not what was written.

    Attributes:
        journal_id: Of which journal.
    """

    def __init__(self, journal_id: JournalId) -> None:
        self.journal_id = journal_id
        super().__init__(f"the snapshot of {journal_id} is spoilt: remove it")


class Snapshots:
    """
    Takes and reads snapshots.

    Args:
        rulebook: Names what folds.

        codec: Writes and reads states.
    """

    def __init__(self, rulebook: Rulebook, codec: Codec) -> None:
        self._fingerprint = rulebook.snapshot_fingerprint
        self._codec = codec
        self._rule_sets: dict[JournalKind, tuple[RuleSet, ...]] = {
            kind: tuple(r for r in rulebook.rule_sets if r.state.journal_kind is kind)
            for kind in JournalKind
        }

    def due(self, before: Record, after: Record) -> tuple[Snapshot, ...]:
        """Snapshots of the journals that have come to a point where one is taken."""
        versions = {journal.id: journal.version for journal in before.journals}
        return tuple(
            self.taken(journal)
            for journal in after.journals
            if last_point(journal.version) > versions[journal.id]
        )

    def taken(self, journal: Journal) -> Snapshot:
        """The snapshot of a journal."""
        states, unread = journal.states, journal.states.texts or {}
        lines: list[str] = []
        for rule_set in self._rule_sets[journal.id.kind]:
            kind = rule_set.state
            text = unread[kind] if kind in unread else self._codec.state_text(states[kind])
            lines.append(f"{rule_set.name} {journal.touched.get(kind, 0)} {text}")
        return Snapshot(
            journal=journal.id,
            version=journal.version,
            fingerprint=self._fingerprint,
            body="\n".join(lines).encode(),
        )

    def restored(self, snapshot: Snapshot) -> Journal:
        """
        The journal of a snapshot that bears the fingerprint of this rulebook.

        Raises:
            SpoiltSnapshotError: it is not what was written; of a state this is told when the
                state is asked for, as whatever spoilt text makes a decoder stumble over.
        """
        rule_sets = self._rule_sets[snapshot.journal.kind]
        texts: dict[type[State], str] = {}
        touched: dict[type[State], int] = {}
        parts = [line.split(" ", 2) for line in snapshot.body.decode().split("\n")]
        if [part[0] for part in parts] != [rule_set.name for rule_set in rule_sets]:
            raise SpoiltSnapshotError(snapshot.journal)
        for rule_set, (_, version, text) in zip(rule_sets, parts, strict=True):
            texts[rule_set.state] = text
            if version != "0":
                touched[rule_set.state] = int(version)
        return Journal(
            snapshot.journal, snapshot.version, States({}, texts, self._codec.state), touched
        )


def last_point(version: int) -> int:
    """The last version up to *version* at which a snapshot is taken; 0 if there is none yet."""
    every = SNAPSHOT_EVERY if version < LONG else SNAPSHOT_EVERY_LONG
    return version // every * every
