"""
Everything that the modules of the domain define, found by importing them all.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from collections.abc import Iterator
from typing import Any, TypeVar

import clientela.domain

from clientela.domain.definitions.versions import definitions_rule_set
from clientela.domain.ruleset import RuleSet


_T = TypeVar("_T")


def modules() -> tuple[Any, ...]:
    """Every module of the domain, by name."""
    names = (m.name for m in pkgutil.walk_packages(clientela.domain.__path__, "clientela.domain."))
    return tuple(importlib.import_module(name) for name in sorted(names))


def event_classes() -> tuple[type, ...]:
    """Every event class, by its stored name."""
    found = {cls for cls in classes() if "__event__" in vars(cls)}
    return tuple(sorted(found, key=lambda cls: (cls.__event__.stored_name, cls.__qualname__)))


def classes() -> Iterator[Any]:
    """Every class that a module of the domain defines."""
    for module in modules():
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__:
                yield cls


def subclasses(root: type[_T]) -> tuple[type[_T], ...]:
    """Every class of the domain below *root*."""
    return tuple(cls for cls in classes() if issubclass(cls, root) and cls is not root)


def rule_sets() -> tuple[RuleSet, ...]:
    """Every rule set that a module defines; that of the definitions is made for its sections."""
    found = (
        value
        for module in modules()
        for _, value in inspect.getmembers(module)
        if isinstance(value, RuleSet)
    )
    by_name = {rule_set.name: rule_set for rule_set in (*found, definitions_rule_set({}))}
    return tuple(by_name[name] for name in sorted(by_name))
