"""
What the SDK brings with it.
"""

from __future__ import annotations

import subprocess
import sys

import clientela.sdk


IMPORT = """
import importlib, pkgutil, sys

import clientela.sdk

for module in pkgutil.walk_packages(clientela.sdk.__path__, "clientela.sdk."):
    importlib.import_module(module.name)
loaded = sorted(
    name
    for name in sys.modules
    if name.startswith(("clientela.services", "clientela.domain", "clientela.adapters"))
    or name in ("asyncpg", "cryptography", "typer")
)
print(*loaded)
"""


def test_callers_load_no_server():
    """
    The SDK loads neither services nor domain nor adapters, and no driver that its user did not
    choose.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", IMPORT],
        capture_output=True,
        check=True,
        text=True,
    )

    assert "" == done.stdout.strip()


def test_what_is_public_is_there():
    """
    Every name that the package lists is in it.
    """
    assert sorted(clientela.sdk.__all__) == clientela.sdk.__all__
    assert all(hasattr(clientela.sdk, name) for name in clientela.sdk.__all__)
