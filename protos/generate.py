"""
Generate the Python stubs from the protos.

Run it with the Python of the development environment::

    python protos/generate.py           write the stubs beside their protos
    python protos/generate.py --check   write nothing; exit 1 and name what drifted

Both forms first refresh `third_party/googleapis`, a copy of the Google protos
that the installed googleapis-common-protos brings along. Git ignores it; buf
resolves imports from it, so that no schema registry has to be asked.
"""

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile

from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GOOGLEAPIS = ROOT / "third_party" / "googleapis"
STUB_SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def main() -> int:
    """
    Generate or check, as the command line asks.
    """
    parser = argparse.ArgumentParser(description="Generate the Python stubs from the protos.")
    parser.add_argument("--check", action="store_true", help="report drift, write nothing")
    is_check = parser.parse_args().check

    refresh_googleapis()

    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        drift = drifting(fresh)
        if not is_check:
            for name in drift:
                replace(fresh / name, PROTOS / name)

    for name in drift:
        print(f"{'drifted' if is_check else 'updated'}: protos/{name}")

    return 1 if is_check and drift else 0


def generate(target: Path) -> None:
    """
    Run protoc over all protos; the stubs go to *target*, in the same folders.

    A subprocess, because protoc keeps state between calls in one process.
    """
    protos = [str(path.relative_to(PROTOS)) for path in sorted(PROTOS.rglob("*.proto"))]
    if not protos:
        return

    command = [
        *(sys.executable, "-m", "grpc_tools.protoc"),
        f"--proto_path={PROTOS}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        f"--proto_path={GOOGLEAPIS}",
        f"--plugin=protoc-gen-mypy={plugin('protoc-gen-mypy')}",
        f"--plugin=protoc-gen-mypy_grpc={plugin('protoc-gen-mypy_grpc')}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
        *protos,
    ]
    # The command is made of our own paths.
    done = subprocess.run(command, cwd=PROTOS, check=False)  # noqa: S603
    if done.returncode != 0:
        sys.exit(done.returncode)


def drifting(fresh: Path) -> list[str]:
    """
    Names below `protos/` whose stub is missing, differs, or has lost its proto.
    """
    return sorted(
        name
        for name in stubs(fresh) | stubs(PROTOS)
        if content(fresh / name) != content(PROTOS / name)
    )


def stubs(folder: Path) -> set[str]:
    """
    Names of the stubs below *folder*, relative to it.
    """
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*_pb2*")
        if path.name.endswith(STUB_SUFFIXES)
    }


def content(path: Path) -> bytes | None:
    """
    What *path* holds, or None when there is no such file.
    """
    return path.read_bytes() if path.exists() else None


def replace(source: Path, target: Path) -> None:
    """
    Make *target* equal to *source*: written anew, or removed with it.
    """
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    else:
        target.unlink()


def refresh_googleapis() -> None:
    """
    Copy the protos of the installed googleapis-common-protos.

    The marker names the version copied: an equal one is not copied again.
    """
    package = distribution("googleapis-common-protos")
    marker = GOOGLEAPIS / "VERSION"
    if marker.exists() and marker.read_text(encoding="utf-8") == package.version:
        return

    shutil.rmtree(GOOGLEAPIS, ignore_errors=True)
    for name in package.files or ():
        if name.suffix == ".proto":
            replace(Path(str(name.locate())), GOOGLEAPIS / name)
    marker.write_text(package.version, encoding="utf-8")


def plugin(name: str) -> str:
    """
    Full path of a protoc plugin, so that the environment need not be activated.
    """
    path = shutil.which(name, path=sysconfig.get_path("scripts"))
    if path is None:
        sys.exit(f"{name} is missing: install the dependency group `dev`")
    return path


if __name__ == "__main__":
    sys.exit(main())
