"""
The tour of README, run as it is written.

A block of ```console holds commands, `$ ` before each, with what they print. Everything runs in
one folder of its own, in order; `...` stands for any lines, and ids and moments of today match
whatever they are. `python -m tests.tour` prints what differs and ends with 1 if anything does.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from collections.abc import Iterator
from pathlib import Path

import attrs


ROOT = Path(__file__).parents[1]
EXPORT = "export "
STOP = "kill %1"
BEGIN = "<!-- tour -->"
END = "<!-- end of tour -->"
SERVED_SECONDS_MAX = 60
COMMAND_SECONDS_MAX = 120
VARYING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "CLIENT"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"rows a second +[\d,]+"), "rows a second N"),
)


@attrs.frozen
class Step:
    """
    One command and what it prints.

    Attributes:
        command: As it is typed.

        printed: Lines, without blanks at their ends.
    """

    command: str
    printed: tuple[str, ...]


def steps(text: str) -> Iterator[Step]:
    """The steps of the tour in *text*."""
    tour = text[text.index(BEGIN) : text.index(END)]
    for block in re.findall(r"```console\n(.*?)```", tour, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = step.partition("\n")
            yield Step(command, _lines(printed))


def differences(step: Step, printed: str) -> list[str]:
    """What differs between what a step says and what it printed."""
    expected, found = list(step.printed), list(_lines(printed))
    if "..." in expected:
        index = expected.index("...")
        tail = len(expected) - index - 1
        found = [*found[:index], "...", *(found[-tail:] if tail else [])]
    return [line for line in difflib.ndiff(expected, found) if line[0] in "+-"]


def _lines(text: str) -> tuple[str, ...]:
    for pattern, stands_for in VARYING:
        text = pattern.sub(stands_for, text)
    lines = [line.rstrip() for line in text.splitlines()]
    return tuple(line for line in lines if line)


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run one command of the tour in *folder*; what it prints on both streams."""
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
    )
    return done.stdout


def serve(command: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start the service of the tour; its next step waits for it."""
    return subprocess.Popen(
        shlex.split(command.removesuffix("&")),
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def _environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def main() -> int:
    """Run the tour; 1 if anything differs from what README shows."""
    bad = 0
    service = None
    environment = _environment()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copytree(ROOT / "examples", folder / "examples")
        try:
            for step in steps((ROOT / "README.md").read_text(encoding="utf-8")):
                print(f"$ {step.command}")
                if step.command.startswith(EXPORT):
                    name, _, value = step.command.removeprefix(EXPORT).partition("=")
                    environment[name] = value
                    continue
                if step.command.endswith("&"):
                    service = serve(step.command, folder, environment)
                    continue
                if step.command == STOP:
                    continue
                printed = run(step.command, folder, environment)
                if "--show" in sys.argv:
                    print(printed)
                found = differences(step, printed)
                print("\n".join(found) if found else "  as shown")
                bad += bool(found)
        finally:
            if service is not None:
                service.terminate()
                service.wait(timeout=SERVED_SECONDS_MAX)
    print(f"{bad} steps differ" if bad else "The tour is as README shows it.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
