"""
The generated parts of docs/definitions.md: keys, conditions and presets, from the classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

import attrs

from clientela.domain.definitions.conditions import CONDITIONS, OPERANDS, SCALARS
from clientela.domain.definitions.preset import LifecyclePreset, lifecycle_preset
from clientela.domain.definitions.structuring import Expanding
from clientela.domain.definitions.versions import section_types
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.standard import standard_rulebook
from tests.docs import told
from tests.docs.markdown import inline, listed, table, title


SHORTHANDS: Mapping[type, tuple[told.Key, ...]] = {
    LifecycleDefinition: (
        told.Key(
            name="presets",
            value=f"list of {listed(preset.value for preset in LifecyclePreset)}",
            default="none",
            meaning="Models that ship with Clientela; see [presets](#presets).",
            rules=("LIFE-4", "LIFE-6"),
        ),
    )
}
"""Keys that a section takes and writes out before it is read."""

BARE: Mapping[str, str] = {**OPERANDS, **SCALARS}
"""Conditions that are written without the name of their one key."""

SAMPLES: Mapping[Any, Any] = {
    "at_least": 2,
    "days": 30,
    "name": "recommends",
    "model": "clm",
    "stage": "loyalty",
    "operand": {"purchases": {"at_least": 2}},
    "operands": [{"signal": "subscribed"}, {"left": {}}],
}
"""What is written for a key in an example."""


def sections() -> dict[str, type]:
    """The sections of a document."""
    return section_types(standard_rulebook().rule_sets)


def tables(cls: type) -> Iterator[type]:
    """*cls* and every class of tables within it, each once, from the outside in."""
    found = [cls]
    for each in found:
        for inner in _tables_in(get_type_hints(each), each):
            if inner not in found:
                found.append(inner)
    yield from found


def _tables_in(hints: Mapping[str, Any], cls: type) -> Iterator[type]:
    for field in attrs.fields(cls):
        hint = hints[field.name]
        for part in (hint, *get_args(hint)):
            if field.init and attrs.has(part) and part not in {*CONDITIONS.values(), *told.SCALARS}:
                yield part


def section_block(name: str) -> str:
    """The tables of one section."""
    cls = sections()[name]
    parts = [f"{told.body(cls)}\n\n{_table(cls)}"]
    parts += [
        f"#### {title(each).capitalize()}\n\n{told.body(each)}\n\n{_table(each)}"
        for each in tables(cls)
        if each is not cls
    ]
    return "\n\n".join(parts)


def _table(cls: type) -> str:
    keys = (*SHORTHANDS.get(cls, ()), *told.keys(cls))
    has_rules = any(key.rules for key in keys)
    head = ["key", "value", "default", "meaning", *(["rule"] if has_rules else [])]
    rows = [
        [f"`{k.name}`", k.value, k.default, k.meaning, *([", ".join(k.rules)] if has_rules else [])]
        for k in keys
    ]
    return table(head, rows)


def condition_block() -> str:
    """Every condition, and what each takes."""
    head = ["condition", "holds if", "for instance"]
    rows = [[f"`{tag}`", told.summary(CONDITIONS[tag]), f"`{example(tag)}`"] for tag in CONDITIONS]
    inner = ["condition", "key", "value", "default", "meaning"]
    operands = [
        [f"`{tag}`", _key(tag, key.name), key.value, key.default, key.meaning]
        for tag, cls in CONDITIONS.items()
        for key in told.keys(cls)
    ]
    return f"{table(head, rows)}\n\n{table(inner, operands)}"


def _key(tag: str, name: str) -> str:
    return "the value itself" if tag in BARE else f"`{name}`"


def example(tag: str) -> str:
    """A condition as it is written, with all it must be told."""
    cls: Any = CONDITIONS[tag]
    must = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
    names = must or [field.name for field in attrs.fields(cls)][:1]
    held: Any = {name: _sample(cls, name) for name in names if name in SAMPLES}
    return inline({tag: held[BARE[tag]] if tag in BARE else held})


def _sample(cls: type, name: str) -> Any:
    is_money = get_type_hints(cls)[name] not in {int, int | None} and name == "at_least"
    return "500.00 EUR" if is_money else SAMPLES[name]


def preset_block() -> str:
    """What ships: stages in their order, and the ways out of each."""
    return "\n\n".join(_preset(preset) for preset in LifecyclePreset)


def _preset(preset: LifecyclePreset) -> str:
    model = lifecycle_preset(preset)
    labels = " · ".join(model["labels"].values())
    rows = [
        [
            f"`{stage['id']}`{' (end)' if stage.get('end') else ''}",
            " · ".join(stage["labels"].values()),
            "<br>".join(_exit(each) for each in stage.get("exits", [])) or "none",
        ]
        for stage in model["stages"]
    ]
    says = told.members(LifecyclePreset)[preset.value]
    head = ["stage", "labels", "ways out, in the order in which they are tried"]
    return f"`{preset.value}`: {labels}. {says}\n\n{table(head, rows)}"


def _exit(plain: dict[str, Any]) -> str:
    return f"`{plain['to']}` when `{inline(plain['when'])}` ({plain['rule']})"


def blocks() -> dict[str, str]:
    """Every generated part of the page by its name."""
    found = {f"section {name}": section_block(name) for name in sections()}
    return {**found, "conditions": condition_block(), "presets": preset_block()}


def expanding() -> set[type]:
    """Sections that take a shorthand."""
    return {cls for cls in sections().values() if isinstance(cls, Expanding)}
