"""
States that are folded in place and then frozen.

Folding a long journal into frozen values would copy the state once per event. A state class is
therefore mutable while it is a *draft* and refuses every change once it is *sealed*; `thaw` makes
a new draft from a sealed state without touching it. A dict of a draft is its own and is closed
where it is, so that a state is copied once for all the events of a command, not twice.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, NoReturn, TypeVar, cast, dataclass_transform

import attrs

from clientela.domain.ids import JournalKind


_T = TypeVar("_T")


class FrozenDict(dict[Any, Any]):
    """A dict that refuses every change; `dict(frozen)` is a changeable copy."""

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        msg = "a sealed state cannot be changed; thaw it first"
        raise TypeError(msg)

    __setitem__ = __delitem__ = clear = pop = popitem = _refuse
    setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]
    __ior__ = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[Any, Any]]]:
        return (FrozenDict, (dict(self),))


class _OpenDict(dict[Any, Any]):
    """A dict of a draft, which becomes a `FrozenDict` by a change of class: nothing is copied."""


_set = object.__setattr__


def _set_in_draft(instance: State, name: str, value: Any) -> None:
    """`__setattr__` of states: attrs would look the field up for every value that is set."""
    if instance.is_sealed and name != "is_sealed":
        msg = f"{type(instance).__name__} is sealed and cannot be changed; thaw it first"
        raise TypeError(msg)
    _set(instance, name, value)


@attrs.define(kw_only=True, on_setattr=attrs.setters.frozen)
class State:
    """
    Base of every rule set's state.

    Fields hold scalars, frozen values, tuples, or dicts from ids to those; a dict's values are
    replaced, never changed in place.
    """

    journal_kind: ClassVar[JournalKind]

    is_sealed: bool = attrs.field(default=False, init=False, eq=False, repr=False)

    def close(self) -> None:
        """Bring into the fields what was put off while folding; done before sealing."""


_S = TypeVar("_S", bound=State)


@dataclass_transform(kw_only_default=True, field_specifiers=(attrs.field, attrs.Factory))
def state(kind: JournalKind) -> Callable[[type[_T]], type[_T]]:
    """Make a subclass of `State` the state that a rule set keeps per journal of *kind*."""

    def decorate(cls: type[_T]) -> type[_T]:
        made: Any = attrs.define(kw_only=True, on_setattr=attrs.setters.frozen)(cls)
        made.journal_kind = kind
        made.__setattr__ = _set_in_draft
        return cast("type[_T]", made)

    return decorate


def thaw(sealed: _S) -> _S:
    """A draft equal to *sealed*, which stays as it is."""
    cls = sealed.__class__
    shape = _shape(cls)
    # Its values were checked when the sealed one was made, so they are not checked again.
    draft = cls.__new__(cls)
    for name, value in zip(shape.names, shape.values(sealed), strict=True):
        _set(draft, name, value)
    for name in shape.dicts:
        _set(draft, name, _OpenDict(getattr(draft, name)))
    for name, value in shape.fresh:
        _set(draft, name, value)
    return draft


def seal(draft: _S) -> _S:
    """Freeze *draft* in place and return it."""
    if not draft.is_sealed:
        draft.close()
        for name in _shape(draft.__class__).dicts:
            _set(draft, name, _closed(getattr(draft, name)))
        draft.is_sealed = True
    return draft


_EMPTY = FrozenDict()
"""One for all: most dicts of most states are empty."""


def _closed(entries: dict[Any, Any]) -> dict[Any, Any]:
    if not entries:
        return _EMPTY
    if isinstance(entries, _OpenDict):
        cast("Any", entries).__class__ = FrozenDict
        return entries
    return entries if isinstance(entries, FrozenDict) else FrozenDict(entries)


@attrs.frozen
class _Shape:
    """
    How states of one class are copied.

    Attributes:
        names: Their fields.

        values: Reads all of these, in their order.

        dicts: Those fields that hold dicts.

        fresh: What the other fields, which are not copied, hold in a draft.
    """

    names: tuple[str, ...]
    values: Callable[[State], tuple[Any, ...]]
    dicts: tuple[str, ...]
    fresh: tuple[tuple[str, Any], ...]


_SHAPES: dict[type[State], _Shape] = {}
"""By class; as many as there are classes of states."""


def _shape(cls: type[State]) -> _Shape:
    shape = _SHAPES.get(cls)
    if shape is None:
        shape = _SHAPES[cls] = _shape_of(cls)
    return shape


def _shape_of(cls: type[State]) -> _Shape:
    fields = [field for field in attrs.fields(cls) if field.init]
    names = tuple(field.name for field in fields)
    dicts = (field.name for field in fields if str(field.type).startswith(("dict", "<class 'dict")))
    fresh = ((field.name, field.default) for field in attrs.fields(cls) if not field.init)
    return _Shape(names, _reader(names), tuple(dicts), tuple(fresh))


def _reader(names: tuple[str, ...]) -> Callable[[State], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda state: tuple(getattr(state, name) for name in names)
