"""
Every reason a caller can meet is told in the comments, and everything told can be met.
"""

import ast
import importlib
import inspect
import itertools
import pkgutil
import re
import textwrap

import pytest

import clientela.domain
import clientela.services

from clientela.domain.errors import Category, DomainError
from clientela.services.error_codes import ANSWERS, CODES
from tests.protos.wire import heading, methods, rpc_comments


TOLD = re.compile(r"- ([A-Z_]+) `([A-Z_]+)`")
FAULT = {("INTERNAL", "INTERNAL")}
"""What any other exception is answered with."""

NEVER_MET = {"DOMAIN_ERROR", "REFUSED"}
"""Reasons of classes that are never raised themselves."""

HERE = ("clientela.domain", "clientela.services")


def told(text: str) -> set[tuple[str, str]]:
    """Codes and reasons that a comment lists."""
    return set(TOLD.findall(re.sub(r"\n *(//)? *", " ", text)))


def all_told() -> set[tuple[str, str]]:
    """Codes and reasons that any comment lists."""
    return told(heading("common")).union(*map(told, rpc_comments().values()))


def classes() -> set[type[DomainError]]:
    """Every error class of domain and services."""
    for package in (clientela.domain, clientela.services):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: set[type[DomainError]] = set()
    waiting = [DomainError]
    while waiting:
        cls = waiting.pop()
        found.add(cls)
        waiting.extend(cls.__subclasses__())
    return {cls for cls in found if cls.__module__.startswith(HERE)}


def answered() -> set[tuple[str, str]]:
    """Code and reason of every error class that declares them, and of the edge's own table."""
    own = {
        (CODES[cls.category].name, cls.reason)
        for cls in classes()
        if isinstance(cls.__dict__.get("reason"), str) and isinstance(cls.category, Category)
    }
    return own | {(answer.code.name, answer.reason) for answer in ANSWERS.values()} | FAULT


def test_every_reason_told_can_be_met():
    """
    A reason in a comment is the reason of an error class, with the code of its category.
    """
    assert set() == all_told() - answered()


def test_every_reason_that_can_be_met_is_told():
    """
    An error class's reason stands in the comment of an rpc or at the head of common.proto.
    """
    unmet = {(code, reason) for code, reason in answered() if reason not in NEVER_MET}

    assert set() == unmet - all_told()


KEYS = re.compile(r"`([A-Z_]+)` \{([a-z_, ]+)\}")


def literals(cls: type[DomainError]) -> set[str]:
    """Every text that the `details` of an error class and its bases name."""
    functions = (base.__dict__.get("details") for base in cls.__mro__)
    sources = (inspect.getsource(function) for function in functions if function is not None)
    trees = (ast.walk(ast.parse(textwrap.dedent(source))) for source in sources)
    nodes = itertools.chain.from_iterable(trees)
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def test_the_data_told_comes_with_the_reason():
    """
    AIP-193: what a comment lists in braces stands in the metadata of the error under that key.
    """
    known: dict[str, set[str]] = {}
    for cls in classes():
        known.setdefault(cls.reason, set()).update(literals(cls))
    texts = (heading("common"), *rpc_comments().values())
    wrong = {
        (reason, key)
        for text in texts
        for reason, keys in KEYS.findall(re.sub(r"\n *(//)? *", " ", text))
        for key in keys.split(", ")
        if reason in known and key not in known[reason]
    }

    assert set() == wrong


@pytest.mark.parametrize("name", methods())
def test_every_rpc_lists_its_failures(name):
    """
    The comment of an rpc has a list of failures, or says that there are none of its own.
    """
    comment = rpc_comments()[name]

    assert "\n Failures" in comment
    assert told(comment) or "none" in comment or "those of every" in comment
