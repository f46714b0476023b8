"""
What leaves on the bus of every event.
"""

from __future__ import annotations

import json

from typing import Any, get_type_hints

import attrs
import pytest

from clientela.domain.event import Origin, event
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, ClientId, Code, JournalKind, client_journal
from clientela.domain.loyalty.lots import LotId
from clientela.domain.personal import PersonalText, Sealed
from clientela.domain.standard import standard_rulebook
from clientela.services.disclosure import UndisclosableError, disclosure_of
from clientela.services.envelope import encode
from clientela.services.event_messages import (
    BODY_BYTES_MAX,
    OMITTED,
    EventMessages,
)
from clientela.services.rows import Head
from tests.domain.events import goldens as golden_events
from tests.domain.events.examples import example, recorded
from tests.domain.test_no_hashes import reachable
from tests.services.messages.goldens import (
    FOLDER,
    golden,
    message,
    path_of,
    stored_names,
    sums,
)
from tests.services.streams import CODEC, MESSAGES, hashed


@pytest.mark.parametrize("name", stored_names())
def test_message_of_every_event_is_the_golden_one(name: str):
    """R20, G35: subject, headers and body of every released event are the same bytes for ever."""
    assert path_of(name).read_bytes() == golden(message(name))


def test_golden_messages_are_as_they_were_written():
    """G35: nobody has edited a golden message, or taken one away."""
    found = {path.name: golden_events.digest_of(path.read_bytes()) for path in FOLDER.glob("*.txt")}

    assert sums() == found
    assert {path_of(name).name for name in stored_names()} <= found.keys()


@pytest.mark.parametrize("name", stored_names())
def test_nothing_sealed_and_no_id_of_another_system_leaves(name: str):
    """R21, G27: of sealed values a mark leaves, of receipt numbers and the like a keyed hash."""
    payload = golden_events.read(name)["payload"]
    body = message(name).body.decode()
    kept = json.dumps(payload)

    assert '"box"' not in body
    for source, _, id_ in _business_keys(payload):
        assert f'"{source}:{id_}"' not in body
    assert ('"sealed"' in body) == ('"box"' in kept)


def _business_keys(plain: Any) -> list[tuple[str, str, str]]:
    if isinstance(plain, str):
        return [plain.partition(":")] if plain.startswith("till-1:") else []
    items = plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ()
    return [key for item in items for key in _business_keys(item)]


def test_the_golden_events_hold_what_must_not_leave():
    """The test above tests something: the examples hold business keys, lots and sealed values."""
    hints = {hint for cls in standard_rulebook().event_classes for hint in reachable(cls)}

    assert {BusinessKey, LotId, Sealed} <= hints


@event("secret-kept", origin=Origin.RECORDED)
class SecretKept:
    """
    An event that holds everything that must not leave, in every shape.
    """

    name: PersonalText
    nickname: PersonalText | None = None
    receipt: BusinessId = BusinessId("R-1")
    sources: tuple[BusinessKey, ...] = ()
    lots: tuple[LotId, ...] = ()
    plain: Code = Code("word")


def test_whatever_holds_a_secret_is_covered_by_its_type():
    """G27: a new event's personal values, receipts, keys and lots are found wherever they are."""
    secret = SecretKept(
        name=Sealed(client_journal(ClientId("petra")), "e1", Code("name"), "box"),  # type: ignore[arg-type]
        sources=(BusinessKey(Code("till"), BusinessId("R-2")),),
        lots=(LotId("till:R-3/1"),),
        plain=Code("other"),
        receipt=BusinessId("R-4"),
    )
    codec_of = type(CODEC)([SecretKept])
    made = recorded(secret, JournalKind.CLIENT)
    [row] = encode(codec_of, [made], {made.journal: Head()})
    body = json.loads(EventMessages([SecretKept], codec_of, hashed).of(row).body)

    assert {
        "name": {"sealed": True},
        "receipt": hashed("bus", "R-4"),
        "sources": [f"till:{hashed('bus', 'till:R-2')}"],
        "lots": [hashed("bus", "till:R-3/1")],
        "plain": "other",
    } == body["payload"]


def test_a_type_that_nobody_has_thought_of_is_refused():
    """G27: what may leave of an unheard-of type is not guessed."""

    @attrs.frozen
    class Held:
        values: dict[Code, Code]

    Held.__annotations__ = {"values": dict[Code, Code]}
    assert get_type_hints(Held)
    with pytest.raises(UndisclosableError):
        disclosure_of(Held, hashed)
    with pytest.raises(UndisclosableError):
        disclosure_of(Any, hashed)


def test_event_too_long_for_the_bus_leaves_without_its_payload():
    """A body that no broker takes by default leaves as envelope and name, and says so."""
    cls = next(c for c in standard_rulebook().event_classes if c.__name__ == "DefinitionsApplied")
    long = attrs.evolve(example(cls), document="x" * BODY_BYTES_MAX)
    made = recorded(long, JournalKind.DEFINITIONS)
    [row] = encode(CODEC, [made], {made.journal: Head()})
    sent = MESSAGES.of(row)

    assert "payload" == sent.headers[OMITTED]
    assert {"envelope", "name"} == json.loads(sent.body).keys()
    assert len(sent.body) < BODY_BYTES_MAX


def test_old_version_of_an_event_leaves_in_its_newest_shape():
    """R20: an event stored under an old version is lifted before it leaves."""

    @event("moved", origin=Origin.RECORDED, version=2)
    class Moved:
        to: Code

    Moved.__annotations__ = {"to": Code}

    codec = type(CODEC)([Moved], {"moved.v1": lambda payload: {"to": payload["target"]}})
    made = recorded(Moved(to=Code("north")), JournalKind.UNIT)
    [row] = encode(codec, [made], {made.journal: Head()})
    old = row.body.replace(b'"moved.v2"', b'"moved.v1"').replace(b'{"to":', b'{"target":')
    sent = EventMessages([Moved], codec, hashed).of(attrs.evolve(row, name="moved.v1", body=old))

    assert "moved.v2" == sent.headers["Clientela-Event"]
    assert row.body == sent.body


def test_cloudevents_attributes_are_those_of_the_specification():
    """The message is a CloudEvent in binary mode, with the attributes that one must have."""
    headers = message("owner-replaced.v1").headers

    assert "1.0" == headers["ce-specversion"]
    assert headers["Nats-Msg-Id"] == headers["ce-id"] == "e1"
    assert "/clientela" == headers["ce-source"]
    assert "clientela.owner-replaced.v1" == headers["ce-type"]
    assert "client/petra" == headers["ce-subject"] == headers["Clientela-Journal"]
    assert "2026-03-02T09:00:00+00:00" == headers["ce-time"]
    assert "application/json" == headers["content-type"]
