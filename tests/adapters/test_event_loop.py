"""
The event loop of processes, and how they look for garbage.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

from clientela.adapters.event_loop import run


async def _loop() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_uvloop_is_taken_where_it_is_installed():
    """
    With the extra `speed` work runs on uvloop; the result comes back.
    """
    assert run(_loop()).startswith("uvloop")


def test_asyncio_serves_where_uvloop_is_not():
    """
    Without the extra everything runs on the loop of the standard library.
    """
    program = (
        "import sys; sys.modules['uvloop'] = None\n"
        "import importlib.util as u; u.find_spec = lambda name: None\n"
        "from clientela.adapters.event_loop import run\n"
        "import asyncio\n"
        "async def loop(): return type(asyncio.get_running_loop()).__module__\n"
        "print(run(loop()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert "asyncio.unix_events" == said.stdout.strip()


def test_garbage_is_looked_for_seldom():
    """
    What is there when a service begins is never looked through again; cycles made later are found.
    """
    program = (
        "import gc\n"
        "from clientela.adapters.garbage import YOUNG, look_seldom\n"
        "look_seldom()\n"
        "print(gc.get_freeze_count() > 0, gc.get_threshold()[0] == YOUNG, gc.isenabled())"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert "True True True" == said.stdout.strip()
    assert gc.isenabled()
