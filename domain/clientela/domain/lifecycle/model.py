"""
Lifecycle models: stages, and under what conditions a client leaves one for another.

A model is data (LIFE-11). The presets `clm` (LIFE-4) and `efremova` (LIFE-6) go through the same
door as a company's own models:

    [lifecycle]
    presets = ["efremova"]

    [[lifecycle.models]]
    id = "subscription"
    ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from clientela.domain.definitions.conditions import (
    Condition,
    Left,
    StageIs,
    leaves,
)
from clientela.domain.definitions.holding import Holds, holding
from clientela.domain.definitions.loading import value
from clientela.domain.definitions.preset import LifecyclePreset, lifecycle_preset
from clientela.domain.definitions.problems import DefinitionsError, Problem, suggestion
from clientela.domain.ids import Code
from clientela.domain.lifecycle.circles import is_timed, timed_circle


MODELS_MAX = 16
STAGES_MAX = 64
EXITS_MAX = 32
METHODS_MAX = 64


@attrs.frozen(kw_only=True)
class Exit:
    """
    A way out of a stage; the first whose condition holds, in written order, is taken.

    Attributes:
        to: The stage it leads to.

        when: Under what condition.

        cause: Why the client is gone, for an exit to an end stage; without one the causes of the
            recorded departure are taken.

        rule: Catalogue id of the rule behind it, for explanations.
    """

    to: Code
    when: Condition
    cause: Code | None = None
    rule: Code | None = None


@attrs.frozen(kw_only=True)
class Stage:
    """
    A stage of a model.

    Attributes:
        id: Unique within the model.

        labels: Name by language, for instance `en`.

        parent: The stage that this one is a part of (LIFE-11). Its exits hold here too, after the
            stage's own.

        end: Whether the relationship is over here; leaving it begins a new cycle (LIFE-27).

        goal: What is aimed at here, by language (LIFE-14).

        methods: Codes of the methods permitted here (LIFE-14).

        exits: Ways out, at most `EXITS_MAX`.
    """

    id: Code
    labels: dict[Code, str] = attrs.field(validator=attrs.validators.min_len(1))
    parent: Code | None = None
    end: bool = False
    goal: dict[Code, str] = attrs.field(factory=dict[Code, str])
    methods: tuple[Code, ...] = attrs.field(
        default=(), validator=attrs.validators.max_len(METHODS_MAX)
    )
    exits: tuple[Exit, ...] = attrs.field(default=(), validator=attrs.validators.max_len(EXITS_MAX))


@attrs.frozen
class Way:
    """
    An exit as it holds in a stage.

    Attributes:
        exit: The exit.

        rule: What an event made by it is filed under: its catalogue id or its place in the model.

        holds: Whether its condition holds.
    """

    exit: Exit
    rule: Code
    holds: Holds = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "holds", holding(self.exit.when))


@attrs.frozen(kw_only=True)
class LifecycleModel:
    """
    A lifecycle: stages and the ways between them. No other moves happen (LIFE-26).

    Attributes:
        id: Unique within the definition.

        labels: Name by language.

        stages: In the order of the model, 1 to `STAGES_MAX`.

        entry: Where every client begins.

        by_hand: Whether a person may set a stage, along a declared exit.

    Raises:
        DefinitionsError: stages and exits do not fit together.
    """

    id: Code
    labels: dict[Code, str] = attrs.field(validator=attrs.validators.min_len(1))
    stages: tuple[Stage, ...] = attrs.field(
        validator=[attrs.validators.min_len(1), attrs.validators.max_len(STAGES_MAX)]
    )
    entry: Code
    by_hand: bool = False
    _stages: dict[Code, Stage] = attrs.field(init=False, eq=False, repr=False)
    _ways: dict[Code, tuple[Way, ...]] = attrs.field(init=False, eq=False, repr=False)
    _timed: frozenset[Code] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_stages", {stage.id: stage for stage in self.stages})
        problems = tuple(_problems(self, self._stages))
        if problems:
            raise DefinitionsError(problems)
        ways = {stage.id: tuple(_ways(self, stage, self._stages)) for stage in self.stages}
        object.__setattr__(self, "_ways", ways)
        timed = (id_ for id_ in ways if any(is_timed(way.exit.when) for way in ways[id_]))
        object.__setattr__(self, "_timed", frozenset(timed))

    def stage(self, id: Code) -> Stage | None:  # noqa: A002 (the field's name)
        """The stage of this id, or None if there is none."""
        return self._stages.get(id)

    def ways(self, id: Code) -> tuple[Way, ...]:  # noqa: A002 (the field's name)
        """The ways out of a stage, its parent's included, in the order in which they are tried."""
        return self._ways.get(id, ())

    def is_end(self, id: Code) -> bool:  # noqa: A002 (the field's name)
        """Whether the relationship is over in this stage."""
        stage = self.stage(id)
        return stage is not None and stage.end

    def is_timed(self, id: Code) -> bool:  # noqa: A002 (the field's name)
        """Whether time alone can lead out of this stage."""
        return id in self._timed

    def top(self, id: Code) -> Code:  # noqa: A002 (the field's name)
        """The stage to count this one under: its parent, or itself (LIFE-11)."""
        stage = self.stage(id)
        return id if stage is None or stage.parent is None else stage.parent


def _presets() -> tuple[LifecycleModel, ...]:
    return _PRESETS


@attrs.frozen(kw_only=True)
class LifecycleDefinition:
    """
    Settings of the lifecycle, section `[lifecycle]` of the definitions.

    In TOML `presets = [...]` names models that ship with the package; they follow the company's
    own. A section with neither `models` nor `presets` has both presets, like no section at all.

    Attributes:
        models: All models that a client is followed in at the same time, at most `MODELS_MAX`.

    Raises:
        DefinitionsError: two models share an id.
    """

    models: tuple[LifecycleModel, ...] = attrs.field(
        factory=_presets, validator=attrs.validators.max_len(MODELS_MAX)
    )

    def __attrs_post_init__(self) -> None:
        ids = [model.id for model in self.models]
        problems = [Problem(f"models[{i}].id", f"{ids[i]!r} is taken") for i in _repeated(ids)]
        if problems:
            raise DefinitionsError(problems)

    def model(self, id: Code) -> LifecycleModel | None:  # noqa: A002 (the field's name)
        """The model of this id, or None if there is none."""
        return next((model for model in self.models if model.id == id), None)

    @classmethod
    def expand(cls, plain: Mapping[str, Any]) -> Mapping[str, Any]:
        """*plain* with the presets it names written out."""
        if "presets" not in plain:
            return plain
        try:
            names = value(plain["presets"], tuple[LifecyclePreset, ...])
        except DefinitionsError as error:
            problems = [problem.below("presets") for problem in error.problems]
            raise DefinitionsError(problems) from None
        written = {key: inner for key, inner in plain.items() if key != "presets"}
        own = plain.get("models", [])
        shipped = [lifecycle_preset(name) for name in names]
        return {**written, "models": [*own, *shipped] if isinstance(own, list) else own}


def _ways(model: LifecycleModel, stage: Stage, stages: Mapping[Code, Stage]) -> Iterator[Way]:
    parent = stages[stage.parent] if stage.parent else None
    for owner in (stage, *([parent] if parent else [])):
        for i, way_out in enumerate(owner.exits):
            if way_out.to != stage.id:
                place = Code(f"lifecycle.{model.id}.{owner.id}.exits[{i}]")
                yield Way(way_out, way_out.rule or place)


def _problems(model: LifecycleModel, stages: Mapping[Code, Stage]) -> Iterator[Problem]:
    ids = [stage.id for stage in model.stages]
    yield from (Problem(f"stages[{i}].id", f"{ids[i]!r} is taken") for i in _repeated(ids))
    if model.entry not in stages:
        yield _no_stage("entry", model.entry, stages)
    for i, stage in enumerate(model.stages):
        if stage.parent is not None:
            yield from _parent_problems(f"stages[{i}].parent", stage.parent, stages)
        for j, way_out in enumerate(stage.exits):
            yield from _exit_problems(f"stages[{i}].exits[{j}]", stage, way_out, stages)
    circle = timed_circle({stage.id: stage.exits for stage in model.stages})
    if circle:
        way = " > ".join(circle)
        yield Problem(
            "stages", f"time alone leads round {way}: let one exit ask for a fact of its stage"
        )


def _parent_problems(path: str, parent: Code, stages: Mapping[Code, Stage]) -> Iterator[Problem]:
    if parent not in stages:
        yield _no_stage(path, parent, stages)
    elif stages[parent].parent is not None:
        yield Problem(path, f"{parent!r} is itself a part of {stages[parent].parent!r}")


def _exit_problems(
    path: str, stage: Stage, way_out: Exit, stages: Mapping[Code, Stage]
) -> Iterator[Problem]:
    asked = leaves(way_out.when)
    if way_out.to not in stages:
        yield _no_stage(f"{path}.to", way_out.to, stages)
    elif way_out.to == stage.id:
        yield Problem(f"{path}.to", f"{way_out.to!r} leads nowhere else")
    elif (
        stages[way_out.to].end
        and way_out.cause is None
        and not any(isinstance(leaf, Left) for leaf in asked)
    ):
        yield Problem(f"{path}.cause", "missing: an end has a recorded cause (LIFE-23)")
    if any(isinstance(leaf, StageIs) for leaf in asked):
        yield Problem(f"{path}.when", "a lifecycle cannot ask for stages")


def _no_stage(path: str, name: Code, stages: Mapping[Code, Stage]) -> Problem:
    return Problem(path, f"no stage {name!r}{suggestion(name, stages)}")


def _repeated(ids: list[Code]) -> list[int]:
    return [i for i, id_ in enumerate(ids) if id_ in ids[:i]]


_PRESETS = tuple(value(lifecycle_preset(preset), LifecycleModel) for preset in LifecyclePreset)
