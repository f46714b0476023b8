"""
Options that verbs have in common, and how a verb is run.
"""

from __future__ import annotations

import enum
import functools
import os
import sys

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import attrs
import typer

from clientela.adapters.cli.failure import Exit, VerbError, translated


if TYPE_CHECKING:
    from clientela.adapters.settings import Settings


P = ParamSpec("P")

STOPPED = 130
"""How a verb ends that Ctrl-C stopped, as shells count it."""

UNREAD = 141
"""How a verb ends whose output nobody reads any more, likewise."""


class Output(enum.StrEnum):
    """How answers are written."""

    TABLE = "table"
    JSON = "json"


DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder of database and keys (CLIENTELA_DATA_DIR). Default: clientela-data.",
        show_default=False,
    ),
]
Target = Annotated[
    str,
    typer.Option(
        "--address",
        help="Service to talk to, host:port. Default: the one that runs over the data folder.",
        show_default=False,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="File with the token to show; production believes nothing else.",
        show_default=False,
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option(
        "--ca-file",
        help="Who signed the certificate of the service (PEM), if the system does not know them.",
        show_default=False,
    ),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="How to write the answer.")]


@attrs.frozen(kw_only=True)
class Way:
    """
    Which service a verb talks to, and as whom.

    Attributes:
        data_dir: Folder of the store; None for the setting.

        target: Address, empty to find it.

        token_file: File of the token; None for none.

        ca_file: Who signed the certificate of the service; None for those the system knows.

        has_bus: Whether events leave while the verb works on the files without a service.

        may_begin: Whether a store is made where there is none: for verbs that put something in.
    """

    data_dir: Path | None = None
    target: str = ""
    token_file: Path | None = None
    ca_file: Path | None = None
    has_bus: bool = False
    may_begin: bool = False

    def settings(self, **flags: object) -> Settings:
        """
        The settings of this process.

        Raises:
            SettingError: one is malformed.
        """
        from clientela.adapters.environment import settings_from

        if self.has_bus:
            flags["bus"] = bus_said(flags.get("bus"))
        return settings_from(os.environ, data_dir=self.data_dir, **flags)

    @property
    def folder(self) -> Path:
        """
        Folder of the store, whatever the other settings are: a service may have been told by flags
        what this process does not know.

        Raises:
            SettingError: it is no path.
        """
        from clientela.adapters.environment import settings_from
        from clientela.adapters.settings import PREFIX

        name = f"{PREFIX}DATA_DIR"
        said = {name: os.environ[name]} if name in os.environ else {}
        return settings_from(said, data_dir=self.data_dir).data_dir


def bus_said(said: object) -> object:
    """
    The bus as it was said; a server of our own if nobody did, there is what it takes, and the
    process does not leave a part of the work to others.
    """
    import importlib.util

    from clientela.adapters.settings import EMBEDDED_BUS, PREFIX

    if said is not None or not os.environ.keys().isdisjoint((f"{PREFIX}BUS", f"{PREFIX}ONLY")):
        return said
    return EMBEDDED_BUS if importlib.util.find_spec("nats") is not None else None


def text_of(file: Path) -> str:
    """
    The text of *file*, without the mark that some editors begin it with.

    Raises:
        VerbError: it is not UTF-8.

        OSError: it cannot be read.
    """
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"{file}: not UTF-8, at byte {error.start}"
        raise VerbError(Exit.USAGE, problem) from None


def verb(function: Callable[P, Exit | None]) -> Callable[P, None]:
    """Make *function* a verb: it ends with an exit code, and with words instead of a traceback."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with translated():
                code = function(*args, **kwargs) or Exit.DONE
        except VerbError as error:
            for line in error.told():
                print(line, file=sys.stderr)
            code = error.code
        except KeyboardInterrupt:
            print("clientela: stopped", file=sys.stderr)
            raise typer.Exit(STOPPED) from None
        except BrokenPipeError:
            # Whoever read has seen enough; what is still held back would fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(UNREAD) from None
        raise typer.Exit(code)

    return run


def done(work: Coroutine[Any, Any, Exit | None]) -> Exit | None:
    """Carry out *work* on a loop of its own."""
    from clientela.adapters.event_loop import run

    return run(work)
