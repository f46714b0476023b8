"""
The peer in process beside our service over the wire, both on PostgreSQL and in the same round.
"""

from __future__ import annotations

import asyncio

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.inner import seeded
from benchmarks.peer import EVENTS, Accounts, filled, peers, reached
from benchmarks.postgres_limit import postgres_limit
from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.service import service
from benchmarks.wire import COMMANDS, MANY, Line
from clientela.adapters.settings import Settings


@contextmanager
def _wire(run: Run) -> Iterator[Round]:
    folder, company = run.place("peer-wire"), run.place("peer-wire/company")
    clients = peers(run)
    with postgres_limit(folder) as server:
        peer = filled(Accounts, reached(server.database("accounts")), clients)
        url = server.database("company")
        asyncio.run(seeded(Settings(data_dir=company, database_url=url), {EVENTS: clients}))

        def measured() -> Figures:
            plain = peer.rate(run.seconds)
            with service(company, f"database_url={url}") as started:
                line = Line(run=run, service=started, log=folder / "caller.log")
                line.calls(COMMANDS[0], MANY, clients)
                ours = {command: line.calls(command, MANY, clients) for command in COMMANDS}
            return {
                "25": ratio(ours[COMMANDS[0]].rate, plain),
                "peer.wire.eventsourcing as it comes, rate": plain,
                **{f"peer.wire.{name}, rate": calls.rate for name, calls in ours.items()},
            }

        try:
            yield measured
        finally:
            peer.app.close()


PEER_WIRE = Part(
    name="peer-wire",
    about="the eventsourcing library on PostgreSQL beside our service: goal 25",
    open=_wire,
)
