"""
The event loop that processes of ours run on: uvloop where it is installed, asyncio's elsewhere.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar


_T = TypeVar("_T")


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Carry out *work* on a loop of its own, to the end."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(work)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if importlib.util.find_spec("uvloop") is None:
        return None
    uvloop: Any = importlib.import_module("uvloop")
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
