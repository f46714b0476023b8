"""
The page for those who let others in tells every claim, cause, role, refusal and piece of metadata.
"""

from __future__ import annotations

import ast
import re

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import grpc
import grpc.aio
import pytest

from clientela.adapters.settings import Settings
from clientela.adapters.tokens import callers, certificate, development, either, own, web_token
from clientela.adapters.tokens.callers import callers_of
from clientela.domain.event import ActorKind
from clientela.domain.ids import EmployeeId, UnitId
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.services import entrance, guard, history, personal_fields
from clientela.services.access import AccessTable
from clientela.services.error_codes import code_of, status_of
from tests.docs.access_blocks import details_of, refusals, service_names


ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
TOLD = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row)}
"""What stands in the first column of some table."""

AUTHENTICATORS = (certificate, development, either, own, web_token)


def tree(module):
    """The source of *module*, parsed."""
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def texts(call):
    """The texts that are given to a call as they are."""
    return [str(arg.value) for arg in call.args if isinstance(arg, ast.Constant)]


def claims_read():
    """Every claim that is looked at, as the source has it."""
    found = {vars(web_token)[name] for name in vars(web_token) if name.endswith("_CLAIM")}
    for node in ast.walk(tree(web_token)):
        if isinstance(node, ast.Call):
            named = [arg.id for arg in node.args[:1] if isinstance(arg, ast.Name)]
            of = node.func.value if isinstance(node.func, ast.Attribute) else None
            if named == ["claims"] or (isinstance(of, ast.Name) and of.id == "claims"):
                found.update(texts(node))
    return sorted(found)


@pytest.mark.parametrize("claim", claims_read())
def test_every_claim_that_is_read_is_told(claim):
    """
    S4: whoever makes tokens learns each claim that is looked at.
    """
    assert claim in TOLD


def test_claims_are_found():
    """
    The claims are really read from the source: the registered ones and our own are among them.
    """
    expected = {"iss", "sub", "aud", "exp", "nbf", "iat", "cnf", "clientela_kind"}

    assert expected <= set(claims_read())


def causes():
    """Every cause for which credentials do not hold."""
    calls = (node for module in AUTHENTICATORS for node in ast.walk(tree(module)))
    return sorted(
        {
            text
            for node in calls
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "UnauthenticatedError"
            for text in texts(node)
        }
    )


@pytest.mark.parametrize("cause", causes())
def test_every_cause_of_a_denial_is_told(cause):
    """
    What the operator finds in the audit rows is explained.
    """
    assert cause in TOLD


@pytest.mark.parametrize("algorithm", sorted(web_token.ALGORITHMS))
def test_every_algorithm_is_told(algorithm):
    """
    S4: the algorithms taken are on the page, and none besides.
    """
    assert f"`{algorithm}`" in PAGE
    assert set(re.findall(r"`(EdDSA|[A-Z]S\d{3})`", PAGE)) == web_token.ALGORITHMS


@pytest.mark.parametrize(
    "header",
    [
        development.ACTOR_HEADER,
        development.ROLES_HEADER,
        entrance.CORRELATION_HEADER,
        entrance.ON_BEHALF_OF_HEADER,
        entrance.UNIT_HEADER,
        history.CLOCK_HEADER,
    ],
)
def test_every_header_is_told(header):
    """
    Each piece of metadata that a call may bring has its row.
    """
    assert any(name.partition(":")[0] == header for name in TOLD)


def test_bounds_of_tokens_are_those_of_the_code():
    """
    Length, life and leeway of tokens are told as they are.
    """
    for number in (web_token.TOKEN_LENGTH_MAX, web_token.LISTED_MAX, callers.CALLERS_MAX):
        assert f"{number:,}" in PAGE
    assert f"lives {web_token.LIFE_SECONDS_MAX // 60} minutes at most" in PAGE
    assert f"off by {web_token.LEEWAY_SECONDS} seconds" in PAGE


def test_options_of_the_command_are_settings():
    """
    Every long option on the page is a setting of `clientela serve`.
    """
    options = {name.replace("-", "_") for name in re.findall(r"--([a-z][a-z-]+)", PAGE)}

    assert set() == options - {field.name for field in attrs.fields(Settings)}


def test_the_callers_file_is_loaded(tmp_path):
    """
    The file shown is one that a service takes, with permissions that some rpc asks for.
    """
    shown = r"^<!-- callers -->\n```toml\n(.*?)^```$"
    [text] = re.findall(shown, PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "callers.toml"
    path.write_text(text, encoding="utf-8")
    [(_, principal)] = callers_of(path).items()

    known = AccessTable.of_services(service_names()).permissions
    assert ActorKind.SERVICE is principal.kind
    assert {grant.name for grant in principal.grants or ()} <= known


def test_permissions_beside_those_of_rpcs_are_told():
    """
    The permissions that no rpc asks for are named.
    """
    for name in (personal_fields.PERMISSION, history.PERMISSION):
        assert f"`{name}`" in PAGE


def test_every_rpc_has_its_row():
    """
    OWN-15: the permission matrix on the page is that of the protos, rpc by rpc.
    """
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+\.\w+)` \|", PAGE, re.MULTILINE))

    expected = {
        access.method.rpartition(".")[2]: access.permission
        for access in AccessTable.of_services(service_names())
    }
    assert expected == rows


@pytest.mark.parametrize("cls", refusals(), ids=lambda cls: cls.reason)
def test_what_a_refusal_brings_is_told(cls):
    """
    Each reason has its row, and each piece of data that comes with one has its form.
    """
    assert cls.reason in TOLD
    assert set(details_of(cls)) <= TOLD


def taken():
    """A refusal that brings data of its own."""
    return ClientTakenError(
        EmployeeId("marta"),
        UnitId("north"),
        rule="OWN-2",
        may_request=True,
        because=(),
        until=datetime(2026, 7, 19, 11, tzinfo=UTC),
    )


def test_data_of_a_refusal_is_found():
    """
    The data of an error is read through all its classes, as it is told.
    """
    error = taken()

    assert tuple(error.details()) == details_of(ClientTakenError)
    assert f"`{error.details()['until']}`" in PAGE


def test_the_snippet_reads_a_refusal():
    """
    The lines shown for callers in Python tell reason and metadata of a real error.
    """
    [snippet] = re.findall(
        r"^```python\n(from grpc_status.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    )
    known: dict[str, Any] = {}
    exec(compile(snippet, "production.md", "exec"), known)  # noqa: S102 (what the page shows)
    status = status_of(taken(), "")

    assert ("CLIENT_TAKEN", taken().details()) == known["info_of"](raised(status))


def raised(status: Any) -> grpc.aio.AioRpcError:
    """The error that a caller gets of *status*."""
    details = (guard.DETAILS_KEY, status.SerializeToString())
    trailing = grpc.aio.Metadata(details)
    return grpc.aio.AioRpcError(code_of(status), grpc.aio.Metadata(), trailing, status.message)
