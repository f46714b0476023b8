"""
Sabotage: the command line, with something in it that many processes must not do.

    python -m tests.system.careless NAME serve ...
"""

from __future__ import annotations

import sys

from datetime import timedelta
from typing import Any

import attrs

from clientela.adapters.cli import main
from clientela.adapters.postgres import store
from clientela.services import duty
from clientela.services.rows import Append, Wanted
from clientela.services.store_errors import VersionConflictError


class CarelessStore(store.PostgresStore):
    """Does not mind what other processes wrote since a command was decided: it appends after it."""

    async def append(self, append: Append) -> int:
        """Append, wherever the journals end by now."""
        while True:
            try:
                return await super().append(append)
            except VersionConflictError:
                append = await self._moved(append)

    async def _moved(self, append: Append) -> Append:
        concerned = (*append.expected, *append.facts)
        heads = (await self.load(Wanted(journals=concerned))).heads
        ends = {j: heads[j].version for j in concerned}
        events = tuple(
            attrs.evolve(e, version=e.version - append.expected[e.journal] + ends[e.journal])
            for e in append.events
        )
        return attrs.evolve(
            append,
            expected={j: ends[j] for j in append.expected},
            facts={j: ends[j] for j in append.facts},
            hashes={},
            events=events,
            snapshots=(),
        )


def _claims_are_not_checked() -> None:
    changed: Any = store
    changed.PostgresStore = CarelessStore


def _leases_do_not_run_out() -> None:
    changed: Any = duty
    changed.LEASE_TTL = timedelta(days=1)


SABOTAGES = {"claims": _claims_are_not_checked, "leases": _leases_do_not_run_out}


if __name__ == "__main__":
    SABOTAGES[sys.argv.pop(1)]()
    main()
