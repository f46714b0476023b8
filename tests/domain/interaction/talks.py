"""
A company that talks to two clients, and what passes between them.
"""

from __future__ import annotations

from clientela.domain.event import Actor, ActorKind
from clientela.domain.facts import (
    BusinessKey,
    Direction,
    EndKind,
    Purpose,
)
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    PrincipalId,
    client_journal,
)
from clientela.domain.interaction.conflict import RecordConflict
from clientela.domain.interaction.departure import RecordDeparture
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.interaction.rules import Contacts
from clientela.domain.interaction.signals import RecordSignal
from tests.domain.spec import MARTA, Scenario


PETRA = ClientId("petra")
OLGA = ClientId("olga")
GHOST = ClientId("ghost")
PHONE = Code("phone")
CALL = Code("call")
BOT = Actor(ActorKind.SERVICE, PrincipalId("reminder-bot"))
CALL_ID = BusinessKey(Code("pbx"), BusinessId("4711"))

CONTACT = RecordInteraction(
    client_id=PETRA,
    channel=PHONE,
    direction=Direction.INBOUND,
    purpose=Purpose.ENQUIRY,
    kind=CALL,
    employee_id=MARTA,
)
CONFLICT = RecordConflict(client_id=PETRA, employee_id=MARTA, cause=Code("error"))
DEPARTURE = RecordDeparture(client_id=PETRA, causes=(Code("moved-away"),), ended=EndKind.BY_CLIENT)
SIGNAL = RecordSignal(client_id=PETRA, signal=Code("recommended-us"))


def contacts(company: Scenario) -> Contacts:
    """What is open between Petra and the company."""
    return company.record(client_journal(PETRA)).of(Contacts)
