"""
SQL for PostgreSQL stays in a portable subset, so that engines that speak its language are in reach.
"""

from __future__ import annotations

import ast
import re

from importlib.resources import files
from pathlib import Path

import pytest


FORBIDDEN = {
    "LISTEN and NOTIFY": r"\b(LISTEN|UNLISTEN|NOTIFY|pg_notify)\b",
    "triggers": r"\bTRIGGER\b",
    "advisory locks": r"advisory",
    "functions and procedures": r"\b(FUNCTION|PROCEDURE|plpgsql)\b|\bDO \$",
    "rewrite rules": r"\bCREATE( OR REPLACE)? RULE\b",
    "sequences": r"\b(SEQUENCE|SERIAL|BIGSERIAL|IDENTITY|nextval|setval)\b",
    "extensions": r"\bEXTENSION\b",
    "system columns": r"\b(ctid|cmin|cmax|xmin|xmax|tableoid)\b",
    "table locks": r"\bLOCK TABLE\b",
    "unlogged or temporary tables": r"\b(UNLOGGED|TEMP|TEMPORARY)\b",
    "inheritance and partitions": r"\b(INHERITS|PARTITION BY)\b",
    "exclusion constraints": r"\bEXCLUDE\b",
    "deferred constraints": r"\bDEFERR(ABLE|ED)\b",
    "other indexes than trees": r"\bUSING (gin|gist|brin|hash|spgist)\b",
    "large objects": r"\blo_\w+",
    "casts to system types": r"::(regclass|oid|name)\b",
    "functions of the server": r"\bpg_\w+",
    "storage parameters": r"\bfillfactor\b",
    "tidying": r"\bVACUUM\b",
}

ALLOWED = {
    "pg_current_xact_id": "positions by xmin, behind a probe; counting does without",
    "pg_snapshot_xmin": "as pg_current_xact_id",
    "pg_snapshot_xmax": "as pg_current_xact_id",
    "pg_current_snapshot": "as pg_current_xact_id",
    "pg_is_in_recovery": "asked once a connection: a standby is refused",
    "pg_stat_database": "damage that the server has met, for `verify`",
    "fillfactor": "room to change a row where it stands; an engine may ignore it",
    "IDENTITY": "numbers of parked messages, which may have gaps and are no order of commits",
    "VACUUM": "after an erasure; an engine that keeps no dead rows has nothing to do",
}
"""Exceptions, each with its reason."""

WORDS = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|VACUUM|SET|WITH)\b")

PACKAGE = Path(str(files("clientela.adapters"))) / "postgres"
SCHEMA = Path(str(files("clientela.adapters"))) / "schema" / "postgres"


def texts() -> dict[str, str]:
    """Every SQL text of the store by the place where it stands."""
    found = {file.name: file.read_text("utf-8") for file in SCHEMA.glob("*.sql")}
    for file in PACKAGE.glob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        said = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            if id(node) not in said and WORDS.search(node.value):
                found[f"{file.name}:{node.lineno}"] = node.value
    return found


def offences(text: str) -> set[str]:
    """What of *text* is outside of the subset."""
    bare = re.sub(r"--.*", "", text)
    found: set[str] = set()
    for what, pattern in FORBIDDEN.items():
        for match in re.finditer(pattern, bare, re.IGNORECASE):
            if match[0] not in ALLOWED:
                found.add(f"{what}: {match[0]}")
    return found


def test_sql_stays_in_the_subset():
    """No statement or table uses what only one engine has, but for the exceptions listed."""
    assert len(texts()) > 40
    assert {} == {place: bad for place, text in texts().items() if (bad := offences(text))}


def test_every_exception_is_used():
    """The list of exceptions says no more than is true."""
    everything = "\n".join(texts().values())

    assert [] == [name for name in ALLOWED if name not in everything]


@pytest.mark.parametrize(
    "planted",
    [
        "LISTEN events",
        "SELECT pg_notify('events', '1')",
        "CREATE TRIGGER t AFTER INSERT ON events EXECUTE FUNCTION f()",
        "SELECT pg_advisory_xact_lock(42)",
        "DO $$ BEGIN END $$ LANGUAGE plpgsql",
        "CREATE TABLE t (id BIGSERIAL)",
        "SELECT nextval('s')",
        "SELECT ctid, xmin FROM events",
        "CREATE INDEX i ON t USING gin (names)",
        "SELECT pg_sleep(1)",
        "LOCK TABLE events",
    ],
)
def test_what_is_outside_of_the_subset_is_noticed(planted: str):
    """Sabotage: each kind of statement that is not portable is found."""
    assert offences(planted)
