"""
Structuring: plain data into attrs classes, strictly, and every failure with its place.

Nothing is guessed: `true` is no number, `"3"` is no count, a single value is no list, and a key
that the class does not know is an error with a suggestion.
"""

from __future__ import annotations

import re

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar, cast, get_args, get_origin, runtime_checkable

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
from clientela.domain.definitions.documents import is_list, is_table
from clientela.domain.definitions.problems import DefinitionsError, Problem, join, suggestion
from clientela.domain.definitions.scalars import HOOKS, WrongError, is_word, word
from clientela.domain.errors import InvalidValueError


_T = TypeVar("_T")

_VALIDATOR = re.compile(r"(?P<length>Length of )?'(?P<field>\w+)' (?P<text>must .*)", re.DOTALL)


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


def structure(plain: Any, cls: type[_T]) -> _T:
    """
    The value of *cls* from plain data.

    Raises:
        DefinitionsError: with every problem, at its place below this value.
    """
    try:
        made: _T = _CONVERTER.structure(plain, cls)
    except RecursionError:
        raise DefinitionsError([Problem("", "nested too deeply")]) from None
    except Exception as error:  # noqa: BLE001 (whatever it is, it has a place)
        raise DefinitionsError(located(error)) from None
    return made


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
    if not is_table(plain):
        raise WrongError("expected a table")
    return plain


def _attrs_class(cls: type) -> Callable[[Any, Any], Any]:
    made = cast(
        "Callable[[Any, Any], Any]",
        make_dict_structure_fn(cls, _CONVERTER, _cattrs_forbid_extra_keys=True),
    )

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
        if not is_list(plain):
            raise WrongError("expected a list")
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
            error.add_note(note)
            failed.append(error)
    if failed:
        raise IterableValidationError("items", failed, cls)  # pyright: ignore[reportCallIssue]
    return done


def _is_condition(cls: Any) -> bool:
    return bool(cls == Condition)


def _condition(plain: Any, _: Any) -> Any:
    table = _table(plain)
    if len(table) != 1:
        raise WrongError("expected a table with one key, the name of the condition")
    [(tag, inner)] = table.items()
    if tag not in CONDITIONS:
        raise WrongError(f"unknown condition {tag!r}{suggestion(tag, CONDITIONS)}")
    field = OPERANDS.get(tag) or SCALARS.get(tag)
    try:
        made: Any = _CONVERTER.structure({field: inner} if field else inner, CONDITIONS[tag])
    except Exception as error:  # noqa: BLE001 (raised again with its place)
        problems = (_unfielded(problem, field) for problem in located(error))
        raise DefinitionsError(problem.below(tag) for problem in problems) from None
    return made


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
    converter.register_structure_hook_func(is_word, word)
    converter.register_structure_hook_func(_is_condition, _condition)
    for cls, hook in HOOKS.items():
        converter.register_structure_hook(cls, hook)
    return converter


_CONVERTER = _converter()
