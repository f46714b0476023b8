"""
One broker for all tests of a process, with an account for each.
"""

from __future__ import annotations

from tests.adapters.jetstream.conftest import account, shared_broker


__all__ = ["account", "shared_broker"]
