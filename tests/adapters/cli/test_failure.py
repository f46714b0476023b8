"""
What a verb that fails says.
"""

from __future__ import annotations

import subprocess
import sys

import grpc
import pytest

from clientela.adapters.cli.connection import refusal
from clientela.adapters.cli.failure import Exit, VerbError, translated
from clientela.services.store_errors import StoreUnavailableError


def test_each_problem_of_a_document_is_told_once():
    """
    LIFE-11: problems that the message names and the violations name again stand there once.
    """
    problems = {"employees": "unknown section", "units": "unknown section"}
    error = VerbError(
        Exit.FAILED,
        "employees: unknown section\nunits: unknown section",
        reason="DEFINITIONS_INVALID",
        details={"problems": "2"},
        violations=problems,
    )

    assert [
        "clientela: employees: unknown section",
        "  reason: DEFINITIONS_INVALID  problems=2",
        "  units: unknown section",
    ] == list(error.told())


def test_a_problem_that_no_violation_names_is_told_below_the_first():
    """
    What does not fit into the violations is told all the same.
    """
    error = VerbError(Exit.FAILED, "a: wrong\nb: wrong", violations={"a": "wrong"})

    assert ["clientela: a: wrong", "  b: wrong"] == list(error.told())


def test_a_service_that_goes_away_is_told_apart_from_one_that_never_answered():
    """
    Whoever named no address is not told to leave one out, but to run the verb again.
    """
    away = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "gone"
    )
    told = refusal(away, "127.0.0.1:7443")

    assert Exit.UNREACHABLE is told.code
    assert [
        "clientela: the service at 127.0.0.1:7443 answers no more",
        "  See that it runs, then run this again.",
    ] == list(told.told())


def test_a_store_that_cannot_be_reached_is_a_service_that_cannot():
    """
    R11: the same exit code whether the service says so or the verb finds it by itself.
    """
    with pytest.raises(VerbError) as found, translated():
        raise StoreUnavailableError("the database cannot be used: ConnectionRefusedError")

    assert Exit.UNREACHABLE is found.value.code


@pytest.mark.parametrize("missing", ["typer", "grpc"])
def test_a_package_that_is_not_installed_is_named_with_what_brings_it(missing):
    """
    The rules are installed without what the command line needs: then it says so, in one line.
    """
    without = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['clientela', 'stats'];"
        "from clientela.adapters.cli import main; main()"
    )
    told = subprocess.run(
        [sys.executable, "-c", without], capture_output=True, text=True, timeout=60, check=False
    )
    line = f"clientela: {missing} is not installed: run `pip install 'clientela[all]'`\n"

    assert (int(Exit.FAILED), "", line) == (told.returncode, told.stdout, told.stderr)
