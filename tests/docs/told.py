"""
What classes of the domain say of themselves: docstrings, types, defaults and bounds, for tables.

Words come from the docstrings, bounds from the validators themselves, so that neither can be
written down wrongly here.
"""

from __future__ import annotations

import ast
import enum
import inspect
import re
import sys
import textwrap

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs

from clientela.domain.definitions.conditions import Condition
from clientela.domain.definitions.scalars import is_word
from clientela.domain.money import Money
from tests.docs.markdown import anchor, inline, listed, title


NUMBER_MAX = 10**18
"""A validator that lets this pass has no upper bound."""

NOT_SET = "not set"
REQUIRED = "required"
SEE_ABOVE = "see above"

SCALARS: Mapping[Any, str] = {
    bool: "true or false",
    int: "whole number",
    str: "text",
    Decimal: 'decimal number, `2.5` or `"2.5"`',
    Money: 'amount, `"12.50 EUR"`',
    date: "date, `2026-03-01`",
    datetime: "moment, `2026-03-01T09:00:00Z`",
}
"""How values that are no table and no list are told."""

RULE = re.compile(r"\b[A-Z]{3,5}-\d+\b")

_CITED = re.compile(r" \((?:[A-Z]{3,5}-\d+(?:, )?)+\)")
_CONSTANT = re.compile(r"`([A-Z][A-Z0-9_]+)`")
_FIELD = re.compile(r"\*(\w+)\*")
_ATTRIBUTE = re.compile(r"^    (\w+): ", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Key:
    """
    One key of a table, as a reader is told.

    Attributes:
        name: As it is written.

        value: What it holds, bounds included.

        default: What holds where it is left out.

        meaning: What it means.

        rules: Catalogue ids it cites.
    """

    name: str
    value: str
    default: str
    meaning: str
    rules: tuple[str, ...]


def summary(cls: type) -> str:
    """What *cls* says of itself before its attributes, in one line."""
    text = inspect.getdoc(cls) or ""
    return " ".join(_plain(_before_sections(text).split("\n\n")[0], cls).split())


def body(cls: type) -> str:
    """The same, every paragraph."""
    paragraphs = _plain(_before_sections(inspect.getdoc(cls) or ""), cls).split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def rules(text: str) -> tuple[str, ...]:
    """The catalogue ids that *text* cites, each once."""
    return tuple(dict.fromkeys(RULE.findall(text)))


def keys(cls: type) -> tuple[Key, ...]:
    """The keys of the table that *cls* is made from, in their order."""
    hints = get_type_hints(cls)
    said = attributes(cls)
    return tuple(
        _key(field, hints[field.name], _plain(said[field.name], cls))
        for field in attrs.fields(cls)
        if field.init
    )


def _key(field: attrs.Attribute[Any], hint: Any, said: str) -> Key:
    limits = _limits(field, hint)
    meaning = _CITED.sub("", said).replace("None", "left out")
    choices = _choices(hint)
    return Key(
        name=field.name,
        value=value(hint) + (f", {limits}" if limits else ""),
        default=default(field),
        meaning=" ".join(filter(None, (_without(meaning, limits), choices))) or SEE_ABOVE,
        rules=rules(said),
    )


def _without(meaning: str, limits: str) -> str:
    """*meaning* without the bounds, which stand in a column of their own."""
    if not limits:
        return meaning
    most = limits.split(" ")[2]
    rest = re.sub(rf"(?:^|[;,.] )(?:{limits}|[Aa]t most {most})\b(?:[;,] )?", "; ", meaning)
    rest = rest.strip("; .")
    return f"{rest[0].upper()}{rest[1:]}." if rest else ""


def _choices(hint: Any) -> str:
    """What each of the values means, of which one is to be chosen."""
    for cls in (hint, *get_args(hint)):
        if inspect.isclass(cls) and issubclass(cls, enum.Enum):
            said = ((name, words) for name, words in members(cls).items() if words)
            return " ".join(f"`{name}`: {words[0].lower()}{words[1:]}" for name, words in said)
    return ""


def attributes(cls: type) -> dict[str, str]:
    """What *cls* says of each of its attributes, by name."""
    text = inspect.getdoc(cls) or ""
    _, _, listed = text.partition("Attributes:\n")
    listed = re.split(r"^\S", listed, maxsplit=1, flags=re.MULTILINE)[0]
    parts = _ATTRIBUTE.split(listed)[1:]
    return {
        name: " ".join(words.split()) for name, words in zip(parts[::2], parts[1::2], strict=True)
    }


def members(cls: type[enum.Enum]) -> dict[str, str]:
    """What the members of an enum say of themselves, by value; empty where one says nothing."""
    [made] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(made, ast.ClassDef)
    said: dict[str, str] = {}
    for statement, after in zip(made.body, [*made.body[1:], None], strict=True):
        match statement, after:
            case ast.Assign(value=ast.Constant(value=str(name))), ast.Expr(
                value=ast.Constant(value=str(words))
            ):
                said[name] = " ".join(words.split())
            case ast.Assign(value=ast.Constant(value=str(name))), _:
                said[name] = ""
    return said


def value(hint: Any) -> str:
    """What a value of this type is, to somebody who writes TOML."""
    if hint == Condition:
        return "[condition](#conditions)"
    if get_origin(hint) in {UnionType, Union}:
        [inner] = [each for each in get_args(hint) if each is not NoneType]
        return value(inner)
    if get_origin(hint) is dict:
        return "texts by code"
    if get_origin(hint) in {tuple, frozenset}:
        return f"list of {_several(get_args(hint)[0])}"
    if is_word(hint):
        return "code"
    if hint in SCALARS:
        return SCALARS[hint]
    if issubclass(hint, enum.Enum):
        return f"one of {listed(member.value for member in hint)}"
    return f"table [{title(hint)}](#{anchor(hint)})"


def _several(hint: Any) -> str:
    """What values of this type are, where there are several."""
    if hint == Condition:
        return "[conditions](#conditions)"
    if attrs.has(hint):
        return f"tables [{title(hint)}](#{anchor(hint)})"
    return f"{value(hint)}s"


def default(field: attrs.Attribute[Any]) -> str:
    """What holds where a key is left out."""
    held: Any = field.default
    if held is attrs.NOTHING:
        return REQUIRED
    if hasattr(held, "factory"):
        held = held.factory()
    if held is None:
        return NOT_SET
    if isinstance(held, bool):
        return f"`{str(held).lower()}`"
    if isinstance(held, enum.Enum):
        held = held.value
    if isinstance(held, tuple | frozenset | dict):
        return listed(each.id for each in held) if held else "none"
    return f"`{inline(held)}`"


def bounds(check: Callable[[Any], None], made: Callable[[int], Any]) -> tuple[int, int] | None:
    """
    Least and greatest number that *check* lets pass, found by trying; None if it asks for nothing.

    Args:
        check: Raises if a value is not to be.

        made: A value from a number: itself, or something of that length.
    """

    def passes(number: int) -> bool:
        try:
            check(made(number))
        except Exception:  # noqa: BLE001 (each validator has its own)
            return False
        return True

    if passes(-1) and passes(NUMBER_MAX):
        return None
    least = next(number for number in range(3) if passes(number))
    if passes(NUMBER_MAX):
        return least, NUMBER_MAX
    low, high = least, NUMBER_MAX
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return least, low


def _limits(field: attrs.Attribute[Any], hint: Any) -> str:
    """The least and the most of a number, or of how many there may be; empty for no limits."""
    validator = field.validator
    if validator is None:
        return ""
    kinds = get_args(hint) if get_origin(hint) in {UnionType, Union} else (hint,)
    made: Callable[[int], Any] = int if int in kinds else _of_length
    found = bounds(lambda each: validator(None, field, each), made)
    if found is None:
        return ""
    least, most = found
    return f"{least:,} or more" if most == NUMBER_MAX else f"{least:,} to {most:,}"


def _of_length(length: int) -> range:
    """Something of this length, however long."""
    return range(length)


def _before_sections(text: str) -> str:
    return re.split(r"^(?:Attributes|Raises):$", text, maxsplit=1, flags=re.MULTILINE)[0].strip()


def _plain(text: str, cls: type) -> str:
    """*text* with the constants of its module written out, and fields as code."""
    constants = vars(sys.modules[cls.__module__])

    def written(found: re.Match[str]) -> str:
        constant = constants.get(found[1])
        match constant:
            case int():
                return f"{constant:,}"
            case tuple():
                return listed(constant)
            case _:
                return found[0]

    return _FIELD.sub(r"`\1`", _CONSTANT.sub(written, text))
