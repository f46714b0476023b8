"""
The event loop that processes of ours run on: uvloop where it is installed, asyncio's elsewhere.
"""

from __future__ import annotations

import asyncio
import importlib.util

from collections.abc import Coroutine
from typing import Any, TypeVar


_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Carry out *work* on a loop of its own, to the end."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.run(work)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
