"""
Structuring: plain data into attrs classes, strictly, and every failure with its place.

Nothing is guessed: `true` is no number, `"3"` is no count, a single value is no list, and a key
that the class does not know is an error with a suggestion.
"""

from __future__ import annotations

import enum
import re

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeVar, get_args, get_origin, runtime_checkable

import attrs
import cattrs

from cattrs import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn

from clientela.domain.definitions.conditions import CONDITIONS, OPERANDS, SCALARS, Condition
from clientela.domain.definitions.problems import DefinitionsError, Problem, join, suggestion
from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import CODE_LENGTH_MAX
from clientela.domain.money import Money


TEXT_LENGTH_MAX = 4096
"""Characters of one text in a definition."""

_T = TypeVar("_T")

_VALIDATOR = re.compile(r"(?P<length>Length of )?'(?P<field>\w+)' (?P<text>must .*)", re.DOTALL)
_WORD = re.compile(r"\S+")


@runtime_checkable
class Expanding(Protocol):
    """A definition class with a shorthand that is written out before it is structured."""

    @classmethod
    def expand(cls, plain: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        *plain* without its shorthand.

        Raises:
            DefinitionsError: the shorthand is wrong.
        """
        ...


class _WrongError(Exception):
    """A value is not what its place takes; the message says what would be."""


def structure(plain: Any, cls: type[_T]) -> _T:
    """
    The value of *cls* from plain data.

    Raises:
        DefinitionsError: with every problem, at its place below this value.
    """
    try:
        return _CONVERTER.structure(plain, cls)
    except RecursionError:
        raise DefinitionsError([Problem("", "nested too deeply")]) from None
    except Exception as error:
        raise DefinitionsError(located(error)) from None


def located(error: BaseException, path: str = "") -> Iterator[Problem]:
    """Every problem in what structuring raised, each with its place below *path*."""
    match error:
        case DefinitionsError(problems=problems):
            yield from (problem.below(path) for problem in problems)
        case BaseValidationError(exceptions=inner):
            for each in inner:
                yield from located(each, join(path, _step(each)))
        case ForbiddenExtraKeysError(cl=cls, extra_fields=keys):
            known = [field.name for field in attrs.fields(cls) if field.init]
            for key in sorted(keys):
                yield Problem(join(path, key), f"unknown key{suggestion(key, known)}")
        case InvalidValueError(field=field, expected=expected):
            yield Problem(join(path, field), f"expected {expected}")
        case KeyError():
            yield Problem(path, "missing")
        case _:
            yield _other(error, path)


def _other(error: BaseException, path: str) -> Problem:
    text = str(error.args[0]) if error.args else type(error).__name__
    found = _VALIDATOR.fullmatch(text)
    if found:
        text = f"length {found['text']}" if found["length"] else found["text"]
        return Problem(join(path, found["field"]), text)
    return Problem(path, text)


def _step(error: BaseException) -> str:
    """The place of *error* within what was being structured, as cattrs noted it."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return note.name
        if isinstance(note, IterableValidationNote):
            return f"[{note.index}]" if isinstance(note.index, int) else str(note.index)
    return ""


def _table(plain: Any) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise _WrongError("expected a table")
    return plain


def _attrs_class(cls: type) -> Callable[[Any, Any], Any]:
    made = make_dict_structure_fn(cls, _CONVERTER, _cattrs_forbid_extra_keys=True)

    def structure_class(plain: Any, _: Any) -> Any:
        table = _table(plain)
        return made(dict(cls.expand(table)) if isinstance(cls, Expanding) else table, cls)

    return structure_class


def _is_list(cls: Any) -> bool:
    return get_origin(cls) in {tuple, frozenset}


def _list(cls: Any) -> Callable[[Any, Any], Any]:
    kind: Any = get_origin(cls)
    item: Any = get_args(cls)[0]

    def structure_list(plain: Any, _: Any) -> Any:
        if not isinstance(plain, list):
            raise _WrongError("expected a list")
        return kind(_each(enumerate(plain), item, cls))

    return structure_list


def _is_map(cls: Any) -> bool:
    return get_origin(cls) is dict or get_origin(cls) is Mapping


def _map(cls: Any) -> Callable[[Any, Any], Any]:
    key_type, item = get_args(cls)

    def structure_map(plain: Any, _: Any) -> Any:
        table = _table(plain)
        keys = _each(((key, key) for key in table), key_type, cls)
        return dict(zip(keys, _each(table.items(), item, cls), strict=True))

    return structure_map


def _each(pairs: Any, item: Any, cls: Any) -> list[Any]:
    done: list[Any] = []
    failed: list[Exception] = []
    for index, plain in pairs:
        try:
            done.append(_CONVERTER.structure(plain, item))
        except Exception as error:  # noqa: BLE001 (collected and raised together below)
            note = IterableValidationNote(f"item {index}", index, item)
            error.__notes__ = [*getattr(error, "__notes__", ()), note]
            failed.append(error)
    if failed:
        raise IterableValidationError("items", failed, cls)
    return done


def _is_word(cls: Any) -> bool:
    return getattr(cls, "__supertype__", None) is str


def _word(plain: Any, _: Any) -> str:
    if not isinstance(plain, str):
        raise _WrongError("expected a code, in quotes")
    if not _WORD.fullmatch(plain) or len(plain) > CODE_LENGTH_MAX:
        raise _WrongError(f"expected a code of 1 to {CODE_LENGTH_MAX} characters without blanks")
    return plain


def _text(plain: Any, _: Any) -> str:
    if not isinstance(plain, str) or not 1 <= len(plain) <= TEXT_LENGTH_MAX:
        raise _WrongError(f"expected a text of 1 to {TEXT_LENGTH_MAX} characters")
    return plain


def _whole(plain: Any, _: Any) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise _WrongError("expected a whole number")
    return plain


def _yes_or_no(plain: Any, _: Any) -> bool:
    if not isinstance(plain, bool):
        raise _WrongError("expected true or false")
    return plain


def _decimal(plain: Any, _: Any) -> Decimal:
    try:
        if isinstance(plain, str | int | Decimal) and not isinstance(plain, bool):
            number = Decimal(plain)
            if number.is_finite():
                return number
    except InvalidOperation:
        pass
    raise _WrongError("expected a decimal number, such as 2.5")


def _money(plain: Any, _: Any) -> Money:
    amount, blank, currency = plain.partition(" ") if isinstance(plain, str) else ("", "", "")
    if not blank:
        raise _WrongError('expected an amount with its currency, such as "12.50 EUR"')
    try:
        return Money.parse(amount, currency)
    except InvalidValueError as error:
        raise _WrongError(f"expected {error.expected}") from None


def _day(plain: Any, _: Any) -> date:
    try:
        return date.fromisoformat(plain)
    except (TypeError, ValueError):
        raise _WrongError("expected a date, such as 2026-03-01") from None


def _instant(plain: Any, _: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(plain)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _WrongError("expected a moment with its offset, such as 2026-03-01T09:00:00Z")
    return moment.astimezone(UTC)


def _member(plain: Any, cls: Any) -> Any:
    for member in cls:
        if member.value == plain:
            return member
    values = [str(member.value) for member in cls]
    raise _WrongError(f"expected one of {', '.join(values)}{suggestion(str(plain), values)}")


def _is_condition(cls: Any) -> bool:
    return cls == Condition


def _condition(plain: Any, _: Any) -> Any:
    table = _table(plain)
    if len(table) != 1:
        raise _WrongError("expected a table with one key, the name of the condition")
    [(tag, inner)] = table.items()
    if tag not in CONDITIONS:
        raise _WrongError(f"unknown condition {tag!r}{suggestion(tag, CONDITIONS)}")
    field = OPERANDS.get(tag) or SCALARS.get(tag)
    try:
        return _CONVERTER.structure({field: inner} if field else inner, CONDITIONS[tag])
    except Exception as error:  # noqa: BLE001 (raised again with its place)
        problems = (_unfielded(problem, field) for problem in located(error))
        raise DefinitionsError(problem.below(tag) for problem in problems) from None


def _unfielded(problem: Problem, field: str | None) -> Problem:
    """The shorthand hides the field: `all[2]`, not `all.operands[2]`."""
    if field is None or not problem.path.startswith(field):
        return problem
    return Problem(problem.path.removeprefix(field).removeprefix("."), problem.text)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook_factory(attrs.has, _attrs_class)
    converter.register_structure_hook_factory(_is_list, _list)
    converter.register_structure_hook_factory(_is_map, _map)
    converter.register_structure_hook_func(_is_word, _word)
    converter.register_structure_hook_func(_is_condition, _condition)
    hooks: dict[Any, Callable[[Any, Any], Any]] = {
        str: _text,
        int: _whole,
        bool: _yes_or_no,
        Decimal: _decimal,
        Money: _money,
        date: _day,
        datetime: _instant,
        enum.Enum: _member,
    }
    for cls, hook in hooks.items():
        converter.register_structure_hook(cls, hook)
    return converter


_CONVERTER = _converter()
