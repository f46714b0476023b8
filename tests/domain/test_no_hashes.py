"""
No keyed hash in what is kept for ever.

The journal is never rewritten and snapshots hold states, so whatever stands in an event or a state
outlasts the erasure of the person it is about. Keyed hashes belong in rows beside the journal.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from collections.abc import Iterator
from typing import Any, NewType, get_args, get_type_hints

import attrs

import clientela.domain

from clientela.domain.draft import State
from clientela.domain.event import EventType, Key, Origin, RecordedEvent, event
from clientela.domain.ids import Blind, Code


HASHES = {Blind, Key}

_Mark = NewType("_Mark", Blind)


@attrs.frozen
class _Part:
    marks: dict[Code, tuple[_Mark, ...]]


@event("hidden", origin=Origin.RECORDED)
class _Hidden:
    parts: tuple[_Part | None, ...]


def reachable(hint: Any) -> set[Any]:
    """Every type that a value of type *hint* can hold, itself included."""
    found: set[Any] = set()
    unseen = [hint]
    while unseen:
        hint = unseen.pop()
        if hint in found:
            continue
        found.add(hint)
        unseen.extend(get_args(hint))
        if hasattr(hint, "__supertype__"):
            unseen.append(hint.__supertype__)
        if inspect.isclass(hint) and attrs.has(hint):
            unseen.extend(get_type_hints(hint).values())
    return found


def kept_classes() -> Iterator[type]:
    """Every event and state class of the domain, wherever it is made."""
    for module in pkgutil.walk_packages(clientela.domain.__path__, "clientela.domain."):
        for cls in vars(importlib.import_module(module.name)).values():
            if not inspect.isclass(cls) or cls.__module__ != module.name:
                continue
            is_event = isinstance(vars(cls).get("__event__"), EventType)
            is_state = issubclass(cls, State) and hasattr(cls, "journal_kind")
            if is_event or is_state:
                yield cls


def test_no_event_and_no_state_holds_a_keyed_hash():
    """
    No event class and no state class of the domain can hold a `Blind` or a `Key`, however deep.
    """
    found = {
        f"{cls.__module__}.{cls.__qualname__}"
        for cls in kept_classes()
        if not reachable(cls).isdisjoint(HASHES)
    }

    assert set() == found


def test_every_kind_of_kept_class_is_looked_at():
    """
    The walk finds events and states, those of identity and of loyalty among them.
    """
    names = {cls.__name__ for cls in kept_classes()}

    assert {"ClientRegistered", "IdentifierAdded", "Profile", "CardIssued", "Wallet"} <= names


def test_envelope_holds_one_keyed_hash_only():
    """
    Of an envelope's fields the request alone is a keyed hash: of a caller's request id, which is
    no value of the client.
    """
    hints = get_type_hints(RecordedEvent)

    assert {"request"} == {
        name for name, hint in hints.items() if not reachable(hint).isdisjoint(HASHES)
    }


def test_hash_is_found_however_deep():
    """
    A type made of a hash, in a dict of a value in a tuple of an event, is found.
    """
    assert Blind in reachable(_Hidden)
