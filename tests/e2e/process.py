"""
The command line and the service as processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs


STARTED_SECONDS_MAX = 60.0
"""How long a service may take to say where it listens, on a busy machine."""

VERB_SECONDS_MAX = 600.0

POLL_SECONDS = 0.05

VERBS = Path(__file__).with_name("verbs.py")
"""What carries out several verbs in one process."""


@attrs.frozen
class Told:
    """
    What a verb said.

    Attributes:
        code: Its exit code.

        out: What it wrote.

        errors: What it wrote about what went wrong.
    """

    code: int
    out: str
    errors: str

    @property
    def json(self) -> Any:
        """What it wrote, as plain data."""
        assert not self.code, self.errors
        return json.loads(self.out)


@attrs.frozen
class Shop:
    """
    A data folder and the verbs that work on it.

    Attributes:
        folder: Where the data is.

        is_virtual: Whether a new store gets a virtual clock.
    """

    folder: Path
    is_virtual: bool = True

    def run(self, *arguments: object, code: int | None = 0) -> Told:
        """What a verb says, after checking how it ended; None for either way."""
        made = subprocess.run(
            self._command(arguments),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=VERB_SECONDS_MAX,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in made.stderr, made.stderr
        assert code is None or code == made.returncode, made.stdout + made.stderr
        return Told(made.returncode, made.stdout, made.stderr)

    def run_all(self, *verbs: tuple[object, ...]) -> list[Told]:
        """What verbs say that end well, one after the other in one process, which saves time."""
        lines = (json.dumps([str(each) for each in arguments]) for arguments in verbs)
        made = subprocess.run(
            [sys.executable, str(VERBS)],
            env=self._environment(),
            input="\n".join(lines),
            capture_output=True,
            text=True,
            timeout=VERB_SECONDS_MAX,
            check=False,
        )
        told = [Told(*json.loads(line)) for line in made.stdout.splitlines()]
        assert [0] * len(verbs) == [each.code for each in told], (told[-1:], made.stderr)
        return told

    def begin(self, *arguments: object) -> subprocess.Popen[str]:
        """A verb at work."""
        return subprocess.Popen(
            self._command(arguments),
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def make(self) -> None:
        """Make the store, with nothing in it: definitions that say nothing are the defaults."""
        nothing = self.folder.with_suffix(".toml")
        nothing.touch()
        self.run("apply", nothing)

    def copied(self, folder: Path) -> Shop:
        """The same shop elsewhere: a copy of everything it has while nobody serves it."""
        shutil.copytree(self.folder, folder)
        return attrs.evolve(self, folder=folder)

    @contextlib.contextmanager
    def served(self, *arguments: object) -> Iterator[subprocess.Popen[str]]:
        """A service over the folder, told to stop at the end of the block."""
        service = self.begin("serve", "--port", 0, *arguments)
        try:
            self.wait_for_service(service)
            yield service
        finally:
            service.terminate()
            service.communicate(timeout=VERB_SECONDS_MAX)

    def wait_for_service(self, service: subprocess.Popen[str]) -> None:
        """Return when the service has said where it listens."""
        deadline = time.monotonic() + STARTED_SECONDS_MAX
        said = self.folder / "service.json"
        while not said.exists() or json.loads(said.read_text())["pid"] != service.pid:
            assert service.poll() is None, service.communicate()[0]
            assert time.monotonic() < deadline, "the service does not start"
            time.sleep(POLL_SECONDS)

    def _command(self, arguments: tuple[object, ...]) -> list[str]:
        return [sys.executable, "-m", "clientela.adapters.cli", *map(str, arguments)]

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CLIENTELA_")}
        kept |= {"CLIENTELA_DATA_DIR": str(self.folder), "NO_COLOR": "1", "COLUMNS": "100"}
        return {**kept, "CLIENTELA_VIRTUAL_CLOCK": "1"} if self.is_virtual else kept


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process without a warning, and see it gone."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=VERB_SECONDS_MAX)
