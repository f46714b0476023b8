"""
A hundred clients and three sellers whose every personal value is one of a kind.
"""

from __future__ import annotations

import random

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from clientela.v1 import interaction_pb2, organisation_pb2, purchase_pb2
from tests.system.story import TOWN, Step, bought, step


CLIENTS = 100
SELLERS = ("marta", "ivo", "nora")

_LATIN = ("qua", "vel", "zor", "thy", "mux", "kjo", "plö", "wŷn", "gré", "shu", "tvi", "nox")
_CYRILLIC = ("щук", "жбу", "джы", "цып", "вьё", "гай", "кви", "мня", "бзы", "фёк", "тча", "юлэ")


def _words(count: int, seed: int) -> tuple[str, ...]:
    """Words that stand in no dictionary and begin with different letters of their own."""
    chance = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = chance.choice((_LATIN, _CYRILLIC))
        found["".join(chance.choices(syllables, k=4)).capitalize()] = None
    return tuple(found)


_NAMES = _words(3 * CLIENTS + 2 * len(SELLERS), seed=1)
_NOTES = _words(3 * CLIENTS, seed=2)


@attrs.frozen
class Person:
    """
    A client.

    Attributes:
        number: Which of them, from 0.
    """

    number: int

    @property
    def client_id(self) -> str:
        return f"c-{self.number:03}"

    @property
    def given(self) -> str:
        return _NAMES[3 * self.number]

    @property
    def family(self) -> str:
        return _NAMES[3 * self.number + 1]

    @property
    def name(self) -> str:
        return f"{self.given} {_NAMES[3 * self.number + 2]} {self.family}"

    @property
    def phone(self) -> str:
        a, b, c = self._digits
        return f"+7 9{a:02} {b:03}-{c // 100:02}-{c % 100:02}"

    @property
    def phone_otherwise(self) -> str:
        """The same number as somebody in the country dials it."""
        a, b, c = self._digits
        return f"8(9{a:02}){b:03}{c:04}"

    @property
    def mail(self) -> str:
        letters = random.Random(f"mail {self.number}").choices("bcdfghjklmnpqrstvwxz", k=14)
        return f"{''.join(letters)}@example.org"

    @property
    def mail_otherwise(self) -> str:
        """The same address with the domain in capitals."""
        local, _, domain = self.mail.partition("@")
        return f"{local}@{domain.upper()}"

    @property
    def card(self) -> str:
        a, b, c = self._digits
        return f"22{a:02} {b:03}7 {c:04} {self.number:04}"

    @property
    def notes(self) -> tuple[str, str, str]:
        """Of an approach, of a call, of a quarrel."""
        one, two, three = _NOTES[3 * self.number : 3 * self.number + 3]
        return (f"Wants {one} tea.", f"{self.given} asks for {two}.", f"No {three}, no deal.")

    @property
    def values(self) -> Mapping[str, str]:
        """Every personal value, by a name that may be shown."""
        said = {"name": self.name, "phone": self.phone, "mail": self.mail, "card": self.card}
        words = {f"word {place}": text for place, text in enumerate(self.name.split())}
        notes = {f"note {place}": text for place, text in enumerate(self.notes)}
        spoken = _NOTES[3 * self.number : 3 * self.number + 3]
        parts = {f"word of note {place}": text for place, text in enumerate(spoken)}
        every = {**said, **words, **notes, **parts}
        return {f"{name} of {self.client_id}": text for name, text in every.items()}

    @property
    def told(self) -> tuple[str, ...]:
        """What the client is told of themself: every value that was given, whole."""
        return (self.name, self.given, self.family, self.phone, self.mail, self.card, *self.notes)

    @property
    def _digits(self) -> tuple[int, int, int]:
        chance = random.Random(f"digits {self.number}")
        return chance.randrange(10, 70), chance.randrange(200, 999), chance.randrange(1000, 10_000)

    def steps(self) -> Iterator[Step]:
        """Everything that is recorded of the client, the personal values first."""
        yield step(
            "RegisterClient",
            client_id=self.client_id,
            details={"name": self.name},
            identifiers=[{"kind": "phone", "text": self.phone}],
            source={"source": "crm", "id": f"p-{self.number}"},
        )
        yield step(
            "UpdateClient",
            client_id=self.client_id,
            details={"given_name": self.given, "family_name": self.family},
            update_mask={"paths": ["given_name", "family_name"]},
        )
        identifier = {"kind": "email", "text": self.mail}
        yield step("AddIdentifier", client_id=self.client_id, identifier=identifier)
        yield from self._dealings()

    def _dealings(self) -> Iterator[Step]:
        seller = SELLERS[self.number % len(SELLERS)]
        approach, call, quarrel = self.notes
        common = {"client_id": self.client_id, "employee_id": seller}
        yield step("Approach", **common, channel="phone", note=approach)
        yield step(
            "RecordInteraction",
            **common,
            channel="phone",
            direction=interaction_pb2.DIRECTION_INBOUND,
            purpose=interaction_pb2.PURPOSE_ENQUIRY,
            kind="call",
            note=call,
        )
        yield bought(self.client_id, str(self.number), units=20 + self.number)
        yield step("IssueCard", wallet_id=self.client_id, card_id="card-1", number=self.card)
        yield step("RecordConflict", **common, cause="error", note=quarrel)


PEOPLE = tuple(Person(number) for number in range(CLIENTS))

SELLER_NAMES = {
    seller: " ".join(_NAMES[3 * CLIENTS + 2 * place : 3 * CLIENTS + 2 * place + 2])
    for place, seller in enumerate(SELLERS)
}

VALUES: Mapping[str, str] = {
    **{name: value for person in PEOPLE for name, value in person.values.items()},
    **{f"name of {seller}": name for seller, name in SELLER_NAMES.items()},
}
"""Every value planted, by a name that may be shown."""


def opening() -> Iterator[Step]:
    """The shop before its first client."""
    yield step("ApplyDefinitions", toml=TOWN)
    branch = organisation_pb2.UNIT_KIND_BRANCH
    yield step("RegisterUnit", unit_id="north", kind=branch, label="north")
    for seller, name in SELLER_NAMES.items():
        yield step(
            "RegisterEmployee",
            employee_id=seller,
            unit_id="north",
            name=name,
            roles=["salesperson"],
        )


def refused() -> Iterator[Step]:
    """Calls full of personal values, each of which is refused for another reason."""
    one, other = PEOPLE[0], PEOPLE[1]
    taken = [{"kind": "phone", "text": other.phone_otherwise}]
    yield step("RegisterClient", client_id="c-new", details={"name": one.name}, identifiers=taken)
    yield step("RegisterClient", client_id=one.client_id, details={"name": other.name})
    yield step("RegisterClient", client_id="c-new", details={"name": one.name * 20})
    yield step("RegisterClient", client_id="c-new", details={"language": one.name})
    for kind, text in (
        ("phone", f"{one.phone} or {other.phone}"),
        ("phone", one.name),
        ("email", f"{one.mail}, {other.mail}"),
        ("email", one.phone),
        (one.name, one.phone),
        (one.phone, one.mail),
    ):
        identifier = {"kind": kind, "text": text}
        yield step("AddIdentifier", client_id=one.client_id, identifier=identifier)
        yield step("FindClients", identifier=identifier)
        yield step("RemoveIdentifier", client_id=one.client_id, **identifier)
    yield step("IssueCard", wallet_id=other.client_id, card_id="card-2", number=one.card)
    yield step("IssueCard", wallet_id=one.client_id, card_id="card-1", number=f"{other.card} 9")
    yield step(
        "Approach",
        client_id=one.client_id,
        employee_id="nora",
        channel="phone",
        note=other.notes[0],
    )
    yield step(
        "RecordInteraction",
        client_id=one.client_id,
        channel="phone",
        direction=interaction_pb2.DIRECTION_INBOUND,
        purpose=interaction_pb2.PURPOSE_ENQUIRY,
        kind="call",
        employee_id="marta",
        note=" ".join([one.notes[1]] * 200),
    )
    yield step(
        "RecordPurchase",
        client_id=one.client_id,
        purchase={"source": "till", "id": "0"},
        lines=[],
        tenders=[{"kind": purchase_pb2.TENDER_KIND_MONEY}],
    )
    yield step("RegisterEmployee", employee_id="marta", unit_id="north", name=one.name)


def request_ids(person: Person) -> Iterator[tuple[Step, dict[str, Any]]]:
    """The client's steps with request ids of their own, so that they may be sent once more."""
    for number, each in enumerate(person.steps()):
        yield each, {"request_id": f"{person.client_id}-{number}"}
