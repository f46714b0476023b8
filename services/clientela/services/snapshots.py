"""
Snapshots: the states of a journal as rows, so that it need not be folded from its first event.
"""

from __future__ import annotations

import json

from clientela.domain.codec import Codec, canonical
from clientela.domain.draft import State
from clientela.domain.ids import JournalId
from clientela.domain.record import Journal, Record
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet
from clientela.services.rows import Snapshot


SNAPSHOT_EVERY = 200
"""Events of a journal between two snapshots of it."""


class Snapshots:
    """
    Takes and reads snapshots.

    Args:
        rulebook: Names what folds.

        codec: Writes and reads states.
    """

    def __init__(self, rulebook: Rulebook, codec: Codec) -> None:
        self._rulebook = rulebook
        self._codec = codec

    def due(self, before: Record, after: Record) -> tuple[Snapshot, ...]:
        """Snapshots of the journals that have passed a multiple of `SNAPSHOT_EVERY`."""
        versions = {journal.id: journal.version for journal in before.journals}
        return tuple(
            self.taken(journal)
            for journal in after.journals
            if journal.version // SNAPSHOT_EVERY > versions[journal.id] // SNAPSHOT_EVERY
        )

    def taken(self, journal: Journal) -> Snapshot:
        """The snapshot of a journal."""
        states = {
            rule_set.name: {
                "state": self._codec.plain(journal.states[rule_set.state]),
                "touched": journal.touched.get(rule_set.state, 0),
            }
            for rule_set in self._rule_sets(journal.id)
        }
        return Snapshot(
            journal=journal.id,
            version=journal.version,
            fingerprint=self._rulebook.snapshot_fingerprint,
            body=canonical(states),
        )

    def restored(self, snapshot: Snapshot) -> Journal:
        """The journal of a snapshot that bears the fingerprint of this rulebook."""
        plain = json.loads(snapshot.body)
        states: dict[type[State], State] = {}
        touched: dict[type[State], int] = {}
        for rule_set in self._rule_sets(snapshot.journal):
            part = plain[rule_set.name]
            states[rule_set.state] = self._codec.value(part["state"], rule_set.state)
            if part["touched"]:
                touched[rule_set.state] = part["touched"]
        return Journal(snapshot.journal, snapshot.version, states, touched).seal()

    def _rule_sets(self, journal_id: JournalId) -> tuple[RuleSet, ...]:
        rule_sets = self._rulebook.rule_sets
        return tuple(r for r in rule_sets if r.state.journal_kind is journal_id.kind)
