"""
Forms: how values are written as JSON text, and made again from plain data.

What there is to know of a class is asked once, when its form is made: its fields, their types and
defaults. Writing and reading a value then asks nothing but its fields.

    str, an id, a code     its text             tuple, frozenset       a list
    int, bool              a number, a bool     dict                   an object
    enum of texts          its text             an attrs class         an object of its fields,
    an atom                text of its own                             but those at their defaults

A field of type `Any` or `object` is written by the class of its value and read as plain data.
"""

from __future__ import annotations

import enum
import json
import operator

from collections.abc import Callable, Mapping
from json.encoder import encode_basestring as quoted
from types import NoneType, UnionType
from typing import Any, NewType, Union, cast, get_args, get_origin, get_type_hints

import attrs


Scalar = str | int
"""What a dict's key can be in plain data."""


class FormlessError(TypeError):
    """A field is of a type whose values cannot be kept; a mistake in a rule set."""

    def __init__(self, hint: Any) -> None:
        self.hint = hint
        super().__init__(f"values of {hint} cannot be kept: give the field a type that has a form")


@attrs.frozen
class Form:
    """
    How the values of one type are kept.

    Attributes:
        text: A value as JSON text, the keys of every object in sorted order.

        value: The value of plain data; None where plain data is the value.

        key: A value as the plain data that names an entry of a dict; None where it cannot.
    """

    text: Callable[[Any], str]
    value: Callable[[Any], Any] | None = None
    key: Callable[[Any], Scalar] | None = None


def text_form(text: Callable[[Any], str], value: Callable[[str], Any]) -> Form:
    """The form of a class whose values have a text of their own, any characters in it."""
    return Form(lambda made: quoted(text(made)), value, text)


class Forms:
    """
    The forms of types, each made when it is first asked for.

    Args:
        atoms: Forms that are not made from what a class consists of, by type.
    """

    def __init__(self, atoms: Mapping[Any, Form]) -> None:
        anything = Form(lambda made: self.of(made.__class__).text(made))
        self._made: dict[Any, Form] = {**_PLAIN, Any: anything, object: anything, **atoms}

    def of(self, hint: Any) -> Form:
        """
        The form of a type, as a class names it in its annotations.

        Raises:
            FormlessError: values of this type cannot be kept.
        """
        made = self._made.get(hint)
        if made is None:
            made = self._made[hint] = self._make(hint)
        return made

    def _make(self, hint: Any) -> Form:
        origin, args = get_origin(hint), get_args(hint)
        if isinstance(hint, NewType):
            return self.of(hint.__supertype__)
        if origin in {Union, UnionType} and NoneType in args:
            return self._optional(_without_none(hint))
        if hint is tuple:
            return self.of(tuple[Any, ...])
        if origin is tuple:
            return self._tuple(args)
        if origin is frozenset:
            return self._set(args[0])
        if origin is dict:
            return self._dict(*args)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return _enum_form(hint)
        if isinstance(hint, type) and attrs.has(hint):
            return self._object(hint)
        raise FormlessError(hint)

    def _optional(self, hint: Any) -> Form:
        form = self.of(hint)
        write, read = form.text, form.value

        def text(value: Any) -> str:
            return "null" if value is None else write(value)

        def value(plain: Any) -> Any:
            return None if plain is None else read(plain) if read else plain

        return Form(text, value if read else None)

    def _tuple(self, args: tuple[Any, ...]) -> Form:
        if len(args) != 2 or args[1] is not Ellipsis:  # noqa: PLR2004 (a type and an ellipsis)
            return self._fixed(args)
        form = self.of(args[0])
        write, read = form.text, form.value

        def text(items: Any) -> str:
            return f"[{','.join(map(write, items))}]" if items else "[]"

        def value(plain: Any) -> Any:
            return tuple(map(read, plain)) if read else tuple(plain)

        return Form(text, value)

    def _fixed(self, args: tuple[Any, ...]) -> Form:
        forms = [self.of(hint) for hint in args]

        def text(items: Any) -> str:
            pairs = zip(forms, items, strict=True)
            return f"[{','.join([form.text(item) for form, item in pairs])}]"

        def value(plain: Any) -> Any:
            pairs = zip(forms, plain, strict=True)
            return tuple([form.value(item) if form.value else item for form, item in pairs])

        return Form(text, value)

    def _set(self, hint: Any) -> Form:
        form = self.of(hint)
        write, read = form.text, form.value

        def text(items: Any) -> str:
            return f"[{','.join(sorted(map(write, items)))}]"

        def value(plain: Any) -> Any:
            return frozenset(map(read, plain)) if read else frozenset(plain)

        return Form(text, value)

    def _dict(self, key_hint: Any, hint: Any) -> Form:
        keys, form = self.of(key_hint), self.of(hint)
        name, write = keys.key, form.text
        read_key, read = keys.value or _number_or_text(keys), form.value
        if name is None:
            raise FormlessError(key_hint)

        def text(entries: Any) -> str:
            named = sorted([(name(key), item) for key, item in entries.items()], key=_first)
            return f"{{{','.join([f'{quoted(str(key))}:{write(item)}' for key, item in named])}}}"

        def value(plain: Any) -> Any:
            if read is None:
                return {read_key(key): item for key, item in plain.items()}
            return {read_key(key): read(item) for key, item in plain.items()}

        return Form(text, value)

    def _object(self, cls: type[attrs.AttrsInstance]) -> Form:
        # A class may hold itself: until its form is made, it is asked for when it is needed.
        def text(made: Any) -> str:
            return self.of(cls).text(made)

        def value(plain: Any) -> Any:
            return cast("Any", self.of(cls).value)(plain)

        self._made[cls] = Form(text, value)
        hints = get_type_hints(cls)
        return Form(self._object_text(cls, hints), self._object_value(cls, hints))

    def _object_text(
        self, cls: type[attrs.AttrsInstance], hints: Mapping[str, Any]
    ) -> Callable[[Any], str]:
        fields = _by_name(cls)
        steps: list[tuple[Any, bool, str, Callable[[Any], str]]] = []
        for field in fields:
            default, hint = default_of(field), hints[field.name]
            form = self.of(_without_none(hint) if default is None else hint)
            is_compared = default is not None and default is not attrs.NOTHING
            steps.append((default, is_compared, f"{quoted(field.name)}:", form.text))
        values = reader([field.name for field in fields])

        def text(made: Any) -> str:
            parts = [
                name + write(value)
                for (default, is_compared, name, write), value in zip(
                    steps, values(made), strict=True
                )
                if value is not default and not (is_compared and value == default)
            ]
            return f"{{{','.join(parts)}}}"

        return text

    def _object_value(
        self, cls: type[attrs.AttrsInstance], hints: Mapping[str, Any]
    ) -> Callable[[Any], Any]:
        fields = _by_name(cls)
        made: Any = cls
        known = frozenset(field.name for field in fields)
        forms = [(field.name, self.of(hints[field.name]).value) for field in fields]
        reads = [(name, read) for name, read in forms if read is not None]

        def value(plain: Any) -> Any:
            if not known.issuperset(plain):
                plain = {name: plain[name] for name in known & plain.keys()}
            if not reads:
                return made(**plain)
            values = {**plain}
            for name, read in reads:
                if name in values:
                    values[name] = read(values[name])
            return made(**values)

        return value


def reader(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What reads the attributes of these names, in this order, from any object."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda made: tuple([getattr(made, name) for name in names])


def _without_none(hint: Any) -> Any:
    args = tuple(arg for arg in get_args(hint) if arg is not NoneType)
    if get_origin(hint) in {Union, UnionType} and len(args) < len(get_args(hint)):
        return Union[args]  # noqa: UP007 (as many as there are)
    return hint


def _by_name(cls: type[attrs.AttrsInstance]) -> list[attrs.Attribute[Any]]:
    return sorted((f for f in attrs.fields(cls) if f.init), key=lambda field: field.name)


def default_of(field: attrs.Attribute[Any]) -> Any:
    """What a field holds when nobody names it; `attrs.NOTHING` where everybody must."""
    made: Any = field.default
    if not isinstance(made, attrs.Factory):  # type: ignore[arg-type]
        return made
    return attrs.NOTHING if made.takes_self else made.factory()


def _enum_form(cls: type[enum.Enum]) -> Form:
    names: dict[enum.Enum, Any] = {member: member.value for member in cls}
    if not all(isinstance(name, str) for name in names.values()):
        raise FormlessError(cls)
    texts = {member: quoted(name) for member, name in names.items()}
    members = {name: member for member, name in names.items()}
    return Form(texts.__getitem__, members.__getitem__, names.__getitem__)


def _number_or_text(keys: Form) -> Callable[[str], Any]:
    """What makes a key whose plain data is itself from the text that JSON makes of every key."""
    return int if keys is _NUMBER else str


def _first(pair: tuple[Scalar, Any]) -> Any:
    return pair[0]


def _itself(value: Any) -> Any:
    return value


def _number_text(value: Any) -> str:
    return int.__repr__(value) if value.__class__ is int else json.dumps(value)


_NUMBER = Form(_number_text, None, _itself)

_PLAIN: dict[Any, Form] = {
    str: Form(quoted, None, _itself),
    int: _NUMBER,
    bool: Form({True: "true", False: "false"}.__getitem__),
    NoneType: Form(lambda _: "null"),
}
"""Types whose values JSON has."""
