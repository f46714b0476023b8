"""
Loading: a company's TOML into typed sections, refused whole with every problem at its place.

    lifecycle.models[0].stages[3].exits[1].when: unknown condition 'purchase' (did you mean ...)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from clientela.domain.definitions.documents import parse
from clientela.domain.definitions.problems import DefinitionsError, Problem, suggestion
from clientela.domain.definitions.structuring import structure


_T = TypeVar("_T")


def load(text: str, sections: Mapping[str, type]) -> dict[type, Any]:
    """
    The sections that a TOML document holds, by their class.

    Args:
        text: One document of a company.

        sections: Class of each section by its name; see `section_types`.

    Raises:
        DefinitionsError: anything is wrong with it.
    """
    return structured(parse(text), sections)


def structured(plain: Mapping[str, Any], sections: Mapping[str, type]) -> dict[type, Any]:
    """
    The sections of a document given as plain data, by their class.

    Raises:
        DefinitionsError: anything is wrong with it.
    """
    problems: list[Problem] = []
    found: dict[type, Any] = {}
    for name, section in plain.items():
        if name not in sections:
            problems.append(Problem(name, f"unknown section{suggestion(name, sections)}"))
            continue
        try:
            found[sections[name]] = structure(section, sections[name])
        except DefinitionsError as error:
            problems.extend(problem.below(name) for problem in error.problems)
    if problems:
        raise DefinitionsError(problems)
    return found


def value(plain: Any, cls: type[_T]) -> _T:
    """
    One value of a definition from plain data, by the same rules.

    Raises:
        DefinitionsError: anything is wrong with it.
    """
    return structure(plain, cls)
