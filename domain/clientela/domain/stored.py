"""
What stored values are made of: the texts of ids, moments and keys, and the forms of all else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any, NoReturn

from clientela.domain.event import Actor, ActorKind, Key
from clientela.domain.facts import BusinessKey
from clientela.domain.forms import Form, Forms, text_form
from clientela.domain.ids import Blind, BusinessId, Code, JournalId, JournalKind, PrincipalId, Ref
from clientela.domain.list_forms import ListForms
from clientela.domain.packed import instant
from clientela.domain.packed import moment_of as packed_moment
from clientela.domain.personal import Personal, PersonalText, Sealed


NAMES_KEPT = 4096
"""Journal ids, and actors, that are read once and shared by all events that name them."""


class UnsealedError(Exception):
    """A personal value was about to be stored in the open."""

    def __init__(self) -> None:
        super().__init__("a personal value must be sealed before it is stored")


def _moment_text(moment: datetime) -> str:
    return f'"{moment.isoformat()}"'


def moment_of(text: str) -> datetime:
    """The moment of an ISO 8601 text, UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


@lru_cache(NAMES_KEPT)
def journal_id_of(text: str) -> JournalId:
    """The journal of `kind/id`."""
    kind, _, id_ = text.partition("/")
    return JournalId(JournalKind(kind), id_)


def ref_of(text: str) -> Ref:
    """The event of `kind/id@version`."""
    journal, _, version = text.rpartition("@")
    return Ref(journal_id_of(journal), int(version))


@lru_cache(NAMES_KEPT)
def actor_of(text: str) -> Actor:
    """The actor of `kind/id`."""
    kind, _, id_ = text.partition("/")
    return Actor(ActorKind(kind), PrincipalId(id_))


def _business_key(text: str) -> BusinessKey:
    source, _, id_ = text.partition(":")
    return BusinessKey(Code(source), BusinessId(id_))


def _key(text: str) -> Key:
    scope, _, value = text.rpartition(":")
    return Key(Code(scope), Blind(value))


_MOMENT = Form(_moment_text, moment_of, datetime.isoformat)
"""Moments in ISO 8601."""

_INSTANT = Form(instant, packed_moment, instant)
"""Moments in microseconds since 1970."""


def _refused(_value: Personal) -> NoReturn:
    raise UnsealedError


def _never(_plain: Any) -> NoReturn:
    msg = "an open personal value is never kept, so there is none to read"
    raise TypeError(msg)


def _forms(
    open_text: Callable[[Personal], str],
    make: Callable[[Mapping[Any, Form]], Forms] = Forms,
    moment: Form = _MOMENT,
) -> Forms:
    """
    Forms of everything.

    Args:
        open_text: What becomes of an open personal value.

        make: Makes them of the atoms.

        moment: How moments are written.
    """
    atoms: dict[Any, Form] = {
        JournalId: text_form(str, journal_id_of),
        Ref: text_form(str, ref_of),
        Actor: text_form(str, actor_of),
        BusinessKey: text_form(str, _business_key),
        Key: text_form(lambda key: f"{key.scope}:{key.value}", _key),
        datetime: moment,
        date: text_form(date.isoformat, date.fromisoformat),
        Decimal: text_form(str, Decimal),
        Personal: Form(open_text, _never),
    }
    sealed = make(atoms).of(Sealed)

    def text(value: Any) -> str:
        return sealed.text(value) if value.__class__ is Sealed else open_text(value)

    return make({**atoms, Sealed: sealed, PersonalText: Form(text, sealed.value)})


STORED = _forms(_refused)
"""How everything is kept; an open personal value is refused."""

STATES = _forms(_refused, ListForms, _INSTANT)
"""How states are kept that can be folded anew; an open personal value is refused."""

OPEN = _forms(lambda value: quoted(value.text))
"""How commands are hashed, whose personal values are open; never for what is kept."""
