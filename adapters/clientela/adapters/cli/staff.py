"""
`clientela staff`.
"""

from __future__ import annotations

import contextlib
import tomllib

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import (
    CaFile,
    DataDir,
    Target,
    TokenFile,
    Way,
    done,
    text_of,
    verb,
)


if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from clientela.adapters.cli.connection import Connection

ITEMS_MAX = 10_000
"""Units or employees of one file."""

_UNIT = {"id", "kind", "label", "parent"}
_EMPLOYEE = {"id", "unit", "name", "roles", "superior"}


@verb
def staff(
    file: Annotated[Path, typer.Argument(help="Units and employees, TOML.", dir_okay=False)],
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> Exit | None:
    """
    Register units and employees; those that are there already stay as they are.

    The file has tables [[units]] (id, kind: branch or department, label, parent) and [[employees]]
    (id, unit, name, roles, superior). A unit comes after the one above it, an employee after the
    superior.
    """
    way = Way(
        data_dir=data_dir,
        target=address,
        token_file=token_file,
        ca_file=ca_file,
        may_begin=True,
    )
    return done(_registered(way, _tables(file)))


async def _registered(way: Way, tables: dict[str, list[dict[str, Any]]]) -> None:
    from clientela.adapters.cli.connection import connected

    requests = [*_units(tables["units"]), *_employees(tables["employees"])]
    counts = {"new": 0, "known": 0}
    async with connected(way) as connection:
        for request in requests:
            counts["new" if await _is_new(connection, request) else "known"] += 1
    print(f"Registered {counts['new']}; {counts['known']} were there already.")


def _tables(file: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        plain = tomllib.loads(text_of(file))
    except tomllib.TOMLDecodeError as error:
        raise VerbError(Exit.USAGE, f"{file}: not TOML: {error}") from None
    problems = dict.fromkeys(plain.keys() - {"units", "employees"}, "means nothing here")
    found: dict[str, list[dict[str, Any]]] = {}
    for name, known in (("units", _UNIT), ("employees", _EMPLOYEE)):
        listed: Any = plain.get(name, [])
        items = cast("list[dict[str, Any]]", listed) if isinstance(listed, list) else None
        if items is None or len(items) > ITEMS_MAX or not all(map(_is_table, items)):
            problems[name] = f"expected at most {ITEMS_MAX} tables"
            continue
        found[name] = items
        for place, item in enumerate(found[name]):
            for key in item.keys() - known:
                problems[f"{name}[{place}].{key}"] = "means nothing here"
    if problems:
        raise VerbError(Exit.USAGE, f"{file}: cannot be used", violations=problems)
    return found


def _units(items: list[dict[str, Any]]) -> Iterator[Any]:
    from clientela.v1.organisation_pb2 import RegisterUnitRequest, UnitKind

    for place, item in enumerate(items):
        kind = item.get("kind", "branch")
        if kind not in {"branch", "department"}:
            raise VerbError(Exit.USAGE, f"units[{place}].kind: expected branch or department")
        with _at(f"units[{place}]"):
            yield RegisterUnitRequest(
                unit_id=item.get("id", ""),
                kind=UnitKind.Value(f"UNIT_KIND_{kind.upper()}"),
                label=item.get("label", item.get("id", "")),
                parent_id=item.get("parent", ""),
            )


def _employees(items: list[dict[str, Any]]) -> Iterator[Any]:
    from clientela.v1.organisation_pb2 import RegisterEmployeeRequest

    for place, item in enumerate(items):
        with _at(f"employees[{place}]"):
            yield RegisterEmployeeRequest(
                employee_id=item.get("id", ""),
                unit_id=item.get("unit", ""),
                name=item.get("name", ""),
                roles=item.get("roles", ["salesperson"]),
                superior_id=item.get("superior", ""),
            )


def _at(place: str) -> Any:

    @contextlib.contextmanager
    def named() -> Generator[None]:
        try:
            yield
        except TypeError:
            raise VerbError(Exit.USAGE, f"{place}: expected texts") from None

    return named()


async def _is_new(connection: Connection, request: Any) -> bool:
    from uuid import uuid4

    from clientela.v1.organisation_pb2_grpc import OrganisationServiceStub

    stub = OrganisationServiceStub(connection.channel)
    is_unit = request.DESCRIPTOR.name == "RegisterUnitRequest"
    request.request_id = str(uuid4())
    try:
        method = stub.RegisterUnit if is_unit else stub.RegisterEmployee
        answer = await connection.call(method, request)
    except VerbError as error:
        if error.reason in {"UNIT_REGISTERED", "EMPLOYEE_REGISTERED"}:
            return False
        raise
    return bool(answer.outcome.events)


def _is_table(item: object) -> bool:
    return isinstance(item, dict)
