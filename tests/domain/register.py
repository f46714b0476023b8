"""
The smallest rule set that lets a client exist, and records any fact as it is given.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from clientela.domain.draft import State, state
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.ids import ClientId, JournalKind, client_journal
from clientela.domain.ruleset import RuleSet


@event("test-registered", origin=Origin.RECORDED)
class Registered:
    """A client is in the base."""

    client_id: ClientId


@state(JournalKind.CLIENT)
class Entry(State):
    """Nothing to remember."""


@attrs.frozen(kw_only=True)
class Register:
    """Put a client into the base, once."""

    client_id: ClientId
    occurred_at: datetime | None = None

    def journals(self):
        return (client_journal(self.client_id),)


def _decide(record, command, _context):
    if record.exists(JournalKind.CLIENT):
        return ()
    return (PendingEvent(Registered(client_id=command.client_id), rule="REC-1"),)


REGISTER = RuleSet(
    name="register",
    state=Entry,
    commands=(Register,),
    events=(Registered,),
    decide=_decide,
    evolve=lambda _draft, _recorded: None,
)
