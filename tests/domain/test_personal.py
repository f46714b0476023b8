"""
Personal values: open in commands, sealed in everything that is kept.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.event import Origin, event
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    EventId,
    client_journal,
    employee_journal,
)
from clientela.domain.personal import Personal, PersonalText, Sealed, TokenVault, seal_event


PETRA = client_journal(ClientId("petra"))
MARTA = employee_journal(EmployeeId("marta"))
WORDS = "Petra Nowak, +49 30 123456"
EVENT = EventId("e1")


@attrs.frozen(kw_only=True)
class Contact:
    """A value inside an event."""

    kind: Code
    text: PersonalText


@event("test-noted", origin=Origin.RECORDED)
class Noted:
    """An event with personal values at every depth."""

    code: Code
    note: PersonalText | None = None
    contact: Contact | None = None
    contacts: tuple[Contact, ...] = ()
    words: tuple[PersonalText, ...] = ()
    count: int = 0


@pytest.fixture
def vault():
    """A vault that keeps its values in itself."""
    return TokenVault(b"personal")


def noted() -> Noted:
    """An event with four values of Petra and one of Marta."""
    return Noted(
        code=Code("call"),
        note=Personal("note"),
        contact=Contact(kind=Code("phone"), text=Personal("contact")),
        contacts=(
            Contact(kind=Code("phone"), text=Personal("first")),
            Contact(kind=Code("manager"), text=Personal("second", MARTA)),
        ),
        words=(Personal("word"),),
        count=3,
    )


def box(person, field) -> Sealed:
    """The sealed value of a field of that event."""
    return Sealed(person, EVENT, Code(field), f"{EVENT}#{field}")


def test_every_value_of_an_event_is_sealed_for_its_person_event_and_field(vault):
    """
    Each personal value of an event, however deep, is sealed for the person it is about and bound
    to the event and to its own field; nothing else changes.
    """
    expected = Noted(
        code=Code("call"),
        note=box(PETRA, "note"),
        contact=Contact(kind=Code("phone"), text=box(PETRA, "contact.text")),
        contacts=(
            Contact(kind=Code("phone"), text=box(PETRA, "contacts.0.text")),
            Contact(kind=Code("manager"), text=box(MARTA, "contacts.1.text")),
        ),
        words=(box(PETRA, "words.0"),),
        count=3,
    )

    sealed = seal_event(noted(), PETRA, EVENT, vault)

    assert expected == sealed
    assert "second" == vault.open(sealed.contacts[1].text)
    assert "word" == vault.open(sealed.words[0])


def test_event_without_open_values_stays_the_same_object(vault):
    """
    What is sealed already, and what holds nothing personal, is passed on as it is.
    """
    plain = Noted(code=Code("call"))
    sealed = seal_event(noted(), PETRA, EVENT, vault)

    assert plain is seal_event(plain, PETRA, EVENT, vault)
    assert sealed is seal_event(sealed, MARTA, EventId("e2"), vault)


def test_value_is_never_printed():
    """
    Neither an open value nor a sealed one shows its text when it is printed.
    """
    for value in (Personal(WORDS), Sealed(PETRA, EVENT, Code("note"), WORDS)):
        event = Noted(code=Code("c"), note=value)
        printed = f"{value!r} {value} {[value]} {event} {(value,)!s}"

        assert "Nowak" not in printed
        assert "123456" not in printed


def test_values_of_a_forgotten_person_no_longer_open(vault):
    """
    Forgetting a person destroys their values and nobody else's, for ever.
    """
    sealed = seal_event(noted(), PETRA, EVENT, vault)

    vault.forget(PETRA)
    vault.forget(PETRA)

    assert [None, None, "second"] == [
        vault.open(value) for value in (sealed.note, sealed.words[0], sealed.contacts[1].text)
    ]


def test_keyed_hash_differs_by_scope_value_and_key(vault):
    """
    A normal form has one keyed hash per scope; no other scope, value, boundary or key gives it.
    """
    blind = vault.blind("phone", "49301")

    assert blind == vault.blind("phone", "49301")
    others = {
        vault.blind("email", "49301"),
        vault.blind("phone", "49302"),
        vault.blind("phon", "e49301"),
        TokenVault(b"another").blind("phone", "49301"),
    }
    assert 4 == len(others)
    assert blind not in others
    assert "49301" not in blind


@attrs.frozen(kw_only=True)
class Branch:
    """A value that may hold more of its kind."""

    twigs: tuple[Branch | Leaf, ...] = ()


@attrs.frozen(kw_only=True)
class Leaf:
    """The end of a branch, which may hold another branch."""

    text: PersonalText
    grafted: Branch | None = None


@event("test-grown", origin=Origin.RECORDED)
class Grown:
    """An event whose values nest without end."""

    tree: Branch


def test_values_that_nest_without_end_are_sealed_too(vault):
    """
    A value may hold values of its own kind; whatever is personal in them is sealed.
    """
    leaf = Leaf(text=Personal("deep"))
    grown = Grown(tree=Branch(twigs=(Branch(twigs=(leaf,)),)))

    sealed = seal_event(grown, PETRA, EVENT, vault)

    expected = Leaf(text=box(PETRA, "tree.twigs.0.twigs.0.text"))
    assert Grown(tree=Branch(twigs=(Branch(twigs=(expected,)),))) == sealed
