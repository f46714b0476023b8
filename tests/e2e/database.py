"""
The command line and the service as processes over a database.
"""

from __future__ import annotations

import attrs

from tests.e2e.process import Shop


@attrs.frozen
class DatabaseShop(Shop):
    """
    A shop whose store is in PostgreSQL.

    Attributes:
        url: The database.
    """

    url: str = ""

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "CLIENTELA_DATABASE_URL": self.url}
