"""
A rule set that counts a client's events, and so needs the whole journal.
"""

from __future__ import annotations

import attrs

from clientela.domain.draft import State, state
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.ids import ClientId, JournalKind, client_journal
from clientela.domain.ruleset import RuleSet
from tests.services.firm import PETRA


@event("test-counted", origin=Origin.RECORDED)
class Counted:
    """How many events there were."""

    count: int


@state(JournalKind.CLIENT)
class Tally(State):
    """Nothing to remember."""


@attrs.frozen(kw_only=True)
class Count:
    """Count the client's events."""

    client_id: ClientId = PETRA
    occurred_at: None = None

    def journals(self):
        return (client_journal(self.client_id),)


def _count(record, _command, _context):
    found = len(record.history(JournalKind.CLIENT))
    return (PendingEvent(Counted(count=found), rule="COUNT-1"),)


COUNTS = RuleSet(
    name="counts",
    state=Tally,
    commands=(Count,),
    events=(Counted,),
    decide=_count,
    evolve=lambda _draft, _recorded: None,
)
