"""
Options that verbs have in common.
"""

from __future__ import annotations

import subprocess
import sys

from collections.abc import Iterator
from typing import Any

import pytest

from typer.main import get_command

from clientela.adapters.cli.app import app
from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import text_of
from tests.e2e.verbs import said


PETRA = 'label = "Постоянный клиент"\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder that is not there, named as it is for a verb."""
    monkeypatch.setenv("CLIENTELA_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def verbs(group: Any, before: str = "") -> Iterator[tuple[str, set[str]]]:
    """The options of every verb by its name, those of groups too."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, f"{name} ")
        else:
            yield before + name, {each for option in command.params for each in option.opts}


VERBS = dict(verbs(get_command(app)))


@pytest.mark.parametrize("name", VERBS)
def test_whoever_names_a_service_can_show_a_token_and_trust_its_certificate(name):
    """
    S1: a verb with --address reaches a service in production: it has --token-file and --ca-file.
    """
    assert "--address" not in VERBS[name] or {"--token-file", "--ca-file"} <= VERBS[name]


@pytest.mark.parametrize(
    "arguments",
    [
        ["stats"],
        ["show", "petra"],
        ["find", "--phone", "+420601123456"],
        ["verify"],
        ["backup", "copy.db"],
        ["export", "petra"],
        ["approach", "petra", "marta"],
        ["erase", "petra", "--act", "1", "--yes"],
        ["keys", "rotate"],
        ["parked", "list"],
        ["stream", "check"],
    ],
    ids=lambda each: each[0],
)
def test_a_folder_without_a_store_is_told_and_left_alone(folder, arguments):
    """
    R8: a verb that puts nothing into a store makes none: a mistyped folder is not counted as an
    empty company, found in order, or copied.
    """
    code, out, errors = said(arguments)

    assert (Exit.FAILED, "") == (code, out)
    assert f"there is no database at {folder / 'clientela.db'}, and no service runs" in errors
    assert "--data-dir" in errors
    assert not folder.exists()


def test_nothing_is_sent_again_unless_somebody_agrees(folder):
    """
    Where nobody can be asked, the answer is no, and --yes is named, as with every other verb.
    """
    code, _, errors = said(["stream", "rebuild"])

    assert Exit.FAILED == code
    assert "clientela: nothing was sent again\n  Say --yes to agree.\n" == errors


def test_a_file_of_an_editor_that_marks_its_texts_is_read(tmp_path):
    """
    A byte order mark is none of the text, which TOML would take it for.
    """
    file = tmp_path / "shop.toml"
    file.write_text(PETRA, encoding="utf-8-sig")

    assert PETRA == text_of(file)


def test_a_file_in_another_encoding_is_refused_by_name(tmp_path):
    """
    What is not UTF-8 is told with the file, and nothing of what stands in it.
    """
    file = tmp_path / "shop.toml"
    file.write_text(PETRA, encoding="cp1251")

    with pytest.raises(VerbError) as refused:
        text_of(file)

    assert (Exit.USAGE, f"{file}: not UTF-8, at byte 9") == (
        refused.value.code,
        refused.value.problem,
    )


@pytest.mark.parametrize(
    "arguments",
    [["apply", "FILE"], ["backtest", "FILE"], ["staff", "FILE"]],
    ids=lambda each: each[0],
)
def test_a_verb_reads_its_file_in_that_way(folder, tmp_path, arguments):
    """
    No verb ends with a traceback over a file in another encoding.
    """
    file = tmp_path / "shop.toml"
    file.write_text(PETRA, encoding="cp1251")

    code, _, errors = said([str(file) if each == "FILE" else each for each in arguments])

    assert (Exit.USAGE, f"clientela: {file}: not UTF-8, at byte 9\n") == (code, errors)


def test_a_copy_that_is_not_there_is_named_before_anything_is_asked(folder, tmp_path):
    """
    R8: nothing is made or asked over a copy that does not exist.
    """
    copy = tmp_path / "copy.db"

    told = said(["restore", str(copy)])

    assert (Exit.FAILED, "", f"clientela: {copy}: No such file or directory\n") == told
    assert not folder.exists()


ENDLESS = """
import typer
from clientela.adapters.cli.options import verb

@verb
def endless():
    while True:
        print("petra" * 1_000)

app = typer.Typer()
app.command()(endless)
app()
"""


def test_whoever_has_read_enough_is_not_told_of_it():
    """
    A verb whose reader went away, as with `| head`, ends in silence and as the shell expects.
    """
    begun = subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert begun.stdout is not None
    assert begun.stderr is not None
    assert "petra" == begun.stdout.read(5)
    begun.stdout.close()
    errors = begun.stderr.read()
    begun.stderr.close()

    assert ("", 141) == (errors, begun.wait(timeout=60))
