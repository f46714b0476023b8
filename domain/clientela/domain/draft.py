"""
States that are folded in place and then frozen.

Folding a long journal into frozen values would copy the state once per event. A state class is
therefore mutable while it is a *draft* and refuses every change once it is *sealed*; `thaw` makes
a new draft from a sealed state without touching it.
"""

from __future__ import annotations

from collections.abc import Callable
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


def _refuse_when_sealed(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> Any:
    if instance.is_sealed and attribute.name != "is_sealed":
        msg = f"{type(instance).__name__} is sealed and cannot be changed; thaw it first"
        raise TypeError(msg)
    return value


@attrs.define(kw_only=True, on_setattr=_refuse_when_sealed)
class State:
    """
    Base of every rule set's state.

    Fields hold scalars, frozen values, tuples, or dicts from ids to those; a dict's values are
    replaced, never changed in place.
    """

    journal_kind: ClassVar[JournalKind]

    is_sealed: bool = attrs.field(default=False, init=False, eq=False, repr=False)


_S = TypeVar("_S", bound=State)


@dataclass_transform(kw_only_default=True, field_specifiers=(attrs.field, attrs.Factory))
def state(kind: JournalKind) -> Callable[[type[_T]], type[_T]]:
    """Make a subclass of `State` the state that a rule set keeps per journal of *kind*."""

    def decorate(cls: type[_T]) -> type[_T]:
        made = attrs.define(kw_only=True, on_setattr=_refuse_when_sealed)(cls)
        made.journal_kind = kind  # type: ignore[attr-defined]
        return made

    return decorate


def thaw(sealed: _S) -> _S:
    """A draft equal to *sealed*, which stays as it is."""
    draft = cast("_S", attrs.evolve(cast("Any", sealed)))
    for name in _dict_fields(type(sealed)):
        setattr(draft, name, dict(getattr(draft, name)))
    return draft


def seal(draft: _S) -> _S:
    """Freeze *draft* in place and return it."""
    for name in _dict_fields(type(draft)):
        setattr(draft, name, FrozenDict(getattr(draft, name)))
    draft.is_sealed = True
    return draft


_DICT_FIELDS: dict[type[State], tuple[str, ...]] = {}


def _dict_fields(cls: type[State]) -> tuple[str, ...]:
    if cls not in _DICT_FIELDS:
        _DICT_FIELDS[cls] = tuple(
            field.name
            for field in attrs.fields(cls)
            if str(field.type).startswith(("dict", "<class 'dict"))
        )
    return _DICT_FIELDS[cls]
