"""
Where the proofs find their data: where the acceptance tests do.
"""

from __future__ import annotations

from tests.acceptance.conftest import data


__all__ = ["data"]
