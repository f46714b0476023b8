"""
The generated parts of docs/production.md: who may call what, what refusals bring, how much is let
in; from the options of the protos, the error classes and the limits.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap

from collections.abc import Callable, Iterator

from google.protobuf.descriptor_pool import Default

import clientela.v1

from clientela.domain.errors import DomainError, RefusedError
from clientela.domain.organisation.roles import STAFF_ROLES
from clientela.services.access import AccessTable, MethodAccess, Scope
from clientela.services.admission import ROOMS
from clientela.services.calls import StoredRefusalError
from clientela.services.deadline import DeadlineRules
from clientela.services.error_codes import ANSWERS, CODES
from clientela.services.grants import COMPANY_WIDE
from clientela.services.personal_fields import ROLES
from clientela.services.rate_limits import RateRules
from tests.docs import told
from tests.docs.markdown import listed, table
from tests.services.test_error_codes import subclasses


PACKAGE = "clientela.v1"

SCOPES = {
    Scope.NONE: "none",
    Scope.CLIENT: "client",
    Scope.UNIT: "unit",
    Scope.COMPANY: "company",
    Scope.SELF: "self",
}

CARRIERS = {DomainError, RefusedError, StoredRefusalError}
"""Errors that nobody is answered with, or that carry the reason of another one."""

AT_THE_EDGE = {"DEFINITIONS_INVALID": ("problems",)}
"""Data that takes the place of an error's own when it leaves."""


def access_block() -> str:
    """For each service its rpcs, with what each takes."""
    by_service: dict[str, list[MethodAccess]] = {}
    for each in AccessTable.of_services(service_names()):
        by_service.setdefault(each.method.rpartition(".")[0], []).append(each)
    head = ["rpc", "permission", "roles", "scope", "record", "personal"]
    parts = [
        f"#### {service.removeprefix(PACKAGE).strip('.')}\n\n"
        f"{table(head, [_rpc(each) for each in rpcs])}"
        for service, rpcs in by_service.items()
    ]
    return "\n\n".join(parts)


def service_names() -> list[str]:
    """Full names of every service of the package, by name."""
    names = []
    for file in protos():
        names += [f"{PACKAGE}.{name}" for name in Default().FindFileByName(file).services_by_name]
    return sorted(names)


def protos() -> list[str]:
    """Every proto of the package as it is imported."""
    names = [module.name for module in pkgutil.iter_modules(clientela.v1.__path__)]
    stubs = sorted(name for name in names if name.endswith("_pb2"))
    return [importlib.import_module(f"{PACKAGE}.{name}").DESCRIPTOR.name for name in stubs]


def _rpc(each: MethodAccess) -> list[str]:
    return [
        f"`{each.method.rpartition('.')[2]}`",
        f"`{each.permission}`",
        ", ".join(sorted(each.roles)) or "none",
        SCOPES[each.scope],
        f"`{each.target}`" if each.target else "",
        "yes" if each.is_personal else "",
    ]


def role_block() -> str:
    """How far each role reaches, and what it sees."""
    rows = [
        [
            f"`{role}`",
            "the whole company" if role in COMPANY_WIDE else "the employee's unit and below",
            "yes" if role in ROLES else "no",
        ]
        for role in STAFF_ROLES
    ]
    rows.append(["`client`", "themself", "yes"])
    return table(["role", "reaches", "sees personal values"], rows)


def refusal_block() -> str:
    """Every reason, its code, what comes with it, and when."""
    rows: dict[str, list[str]] = {}
    for row in _refusals():
        rows.setdefault(row[0], row)
    return table(["reason", "code", "metadata", "when"], sorted(rows.values()))


def _refusals() -> Iterator[list[str]]:
    for cls in refusals():
        code = CODES[cls.category].name
        metadata = listed(details_of(cls))
        yield [f"`{cls.reason}`", f"`{code}`", metadata, told.summary(cls).rstrip(".")]
    for answer in ANSWERS.values():
        text = f"{answer.text[0].upper()}{answer.text[1:]}"
        yield [f"`{answer.reason}`", f"`{answer.code.name}`", "", text]
    yield ["`INTERNAL`", "`INTERNAL`", "`reference`", "A fault of the service"]


def refusals() -> tuple[type[DomainError], ...]:
    """Every error of the domain and the services that answers with a reason of its own."""
    found = {}
    for cls in subclasses(DomainError):
        if "reason" in vars(cls) and cls not in CARRIERS:
            found[cls.reason] = cls
    return tuple(found[reason] for reason in sorted(found))


def details_of(cls: type[DomainError]) -> tuple[str, ...]:
    """The names of the data that errors of *cls* bring, read from the source of `details`."""
    names: list[str] = []
    for each in reversed(cls.__mro__):
        if "details" in vars(each):
            source = inspect.getsource(vars(each)["details"])
            made = ast.parse(textwrap.dedent(source))
            calls = {node.attr for node in ast.walk(made) if isinstance(node, ast.Attribute)}
            names = [*(names if "details" in calls else []), *_keys(made)]
    return AT_THE_EDGE.get(cls.reason) or tuple(dict.fromkeys(names))


def _keys(made: ast.AST) -> Iterator[str]:
    for node in ast.walk(made):
        if isinstance(node, ast.Dict):
            for key in node.keys:
                if isinstance(key, ast.Constant):
                    yield str(key.value)


def limit_block() -> str:
    """How often, how many at once and how long, by class of call."""
    rates, deadlines = RateRules(), DeadlineRules()
    rows = []
    for call_class, room in ROOMS.items():
        rate = rates.classes[call_class]
        is_stream = call_class.value == "stream"
        longest = deadlines.stream_seconds_max if is_stream else deadlines.seconds_max
        rows.append(
            [
                call_class.value,
                f"{rate.count} in {rate.seconds:g} s",
                f"{room.running_max} at once, {room.waiting_max} waiting",
                f"{longest:g} s",
            ]
        )
    head = ["calls", "of one person or partner", "of all", "longest deadline"]
    special = [
        [f"`{method.removeprefix(PACKAGE).strip('.')}`", f"{rate.count} in {rate.seconds:g} s"]
        for method, rate in rates.methods.items()
    ]
    longer = [
        [f"`{method.removeprefix(PACKAGE).strip('.')}`", f"{seconds:g} s"]
        for method, seconds in deadlines.methods.items()
    ]
    return "\n\n".join(
        [
            table(head, rows),
            table(["rpc", "of one person or partner, besides"], special),
            table(["rpc", "longest deadline"], longer),
        ]
    )


BLOCKS: dict[str, Callable[[], str]] = {
    "access": access_block,
    "roles": role_block,
    "refusals": refusal_block,
    "limits": limit_block,
}


def blocks() -> dict[str, str]:
    """Every generated part of the page by its name."""
    return {name: made() for name, made in BLOCKS.items()}
