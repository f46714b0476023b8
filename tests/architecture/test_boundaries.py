import ast
import subprocess
import sys

from pathlib import Path


ROOT = Path(__file__).parents[2]
DOMAIN = ROOT / "domain" / "clientela" / "domain"
PORTIONS = (
    "domain/clientela/domain",
    "services/clientela/services",
    "protos/clientela/v1",
    "adapters/clientela/adapters",
    "adapters/clientela/sdk",
)

# What computes and does nothing else. A name covers its submodules.
ALLOWED = (
    "__future__",
    "abc",
    "attr",
    "attrs",
    "base64",
    "bisect",
    "cattrs",
    "clientela.domain",
    "collections",
    "contextlib",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "importlib.metadata",
    "importlib.resources",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "tomllib",
    "types",
    "typing",
    "unicodedata",
    "zoneinfo",
)

UNWANTED = ("asyncio", "asyncpg", "grpc", "nats", "socket", "sqlite3", "ssl")

IMPORT_THE_DOMAIN = """
import importlib, pkgutil, sys

import clientela.domain

for module in pkgutil.walk_packages(clientela.domain.__path__, "clientela.domain."):
    importlib.import_module(module.name)
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


def imported(path: Path) -> set[str]:
    """
    Full names that the module at *path* imports, its own package resolved.

    `from a import b` counts as `a.b`: whether b is a module cannot be seen here.
    """
    package = ("clientela.domain", *path.parent.relative_to(DOMAIN).parts)
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package).split(".")
            above = above[: len(above) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def is_allowed(name: str) -> bool:
    """
    Whether *name* is on the list, or below a name that is.
    """
    return any(f"{name}.".startswith(f"{allowed}.") for allowed in ALLOWED)


def test_domain_imports_only_what_computes():
    """
    Every import in the domain is on the allow-list: itself, attrs, cattrs and pure stdlib modules.
    """
    strangers = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in DOMAIN.rglob("*.py")
        for name in imported(path)
        if not is_allowed(name)
    }

    assert set() == strangers


def test_no_root_of_the_namespace_holds_an_init():
    """
    No `clientela/__init__.py` exists: one would hide the other roots of the namespace.
    """
    strays = [str(root / "clientela" / "__init__.py") for root in ROOT.iterdir()]

    assert [] == [path for path in strays if Path(path).exists()]


def test_every_portion_is_marked_as_typed():
    """
    Every portion of the namespace holds a `py.typed`.
    """
    marked = tuple(portion for portion in PORTIONS if (ROOT / portion / "py.typed").is_file())

    assert PORTIONS == marked


def test_every_portion_is_known_here():
    """
    The portions checked above are all there are.
    """
    found = {
        path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("*/clientela/*/__init__.py")
    }

    assert set(PORTIONS) == found


def test_importing_the_domain_loads_no_technology():
    """
    A fresh interpreter that imports the whole domain has loaded no transport, store or event loop.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-c", IMPORT_THE_DOMAIN, *UNWANTED],
        capture_output=True,
        check=True,
        text=True,
    )

    assert "" == done.stdout.strip()
