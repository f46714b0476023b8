"""
The relay: events from a store to a stream, beside bare publishes of the very same messages.

Goals are judged at a broker as it comes. One that syncs every message, as the broker that a service
starts for itself, is told beside it: there batches win, and the bare windows lose.
"""

from __future__ import annotations

import asyncio

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

import attrs

from benchmarks.broker import BareBroker, broker
from benchmarks.drain import drained, forgotten, prepared
from benchmarks.inner import opened, seeded
from benchmarks.postgres_limit import postgres_limit
from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.stream_limit import Passed, stream_limit
from clientela.adapters.event_loop import run as on_loop
from clientela.adapters.settings import Settings


EVENTS = 20
"""Events of each client; its wallet has some more."""

CLIENTS = 400
CLIENTS_QUICKLY = 60

MESSAGES = 6_000
"""Messages of one bare round."""


@attrs.frozen(kw_only=True)
class Compared:
    """
    What was taken right after each other.

    Attributes:
        windowed: Bare publishes before and after, many under way.

        drain: By the relay.

        single: Bare publishes, each awaited.
    """

    windowed: tuple[Passed, ...]
    drain: Passed
    single: Passed

    @property
    def to_windowed(self) -> float:
        """Rate of the relay to that of bare publishes."""
        return ratio(self.drain.rate, mean(one.rate for one in self.windowed))

    @property
    def to_single(self) -> float:
        """Rate of the relay to that of publishes one at a time."""
        return ratio(self.drain.rate, self.single.rate)

    def told(self, name: str) -> Figures:
        """All of it, under a name."""
        figures: Figures = {}
        parts = {"windowed": self.windowed[-1], "relay": self.drain, "one at a time": self.single}
        for part, one in parts.items():
            figures[f"relay.{name}.{part}.rate"] = one.rate
            figures[f"relay.{name}.{part}.CPU us"] = one.cpu
        return figures


async def _compared(settings: Settings, url: str, seconds: float) -> Compared:
    await forgotten(url)
    async with opened(settings) as core, stream_limit(url) as bare:
        messages = await prepared(core, MESSAGES)
        before = await bare.windowed(messages)
        drain = await drained(core, url, len(messages))
        after = await bare.windowed(messages)
        single = await bare.one_by_one(messages, seconds)
    return Compared(windowed=(before, after), drain=drain, single=single)


def _measured(
    run: Run, companies: Mapping[str, Settings], plain: BareBroker, synced: BareBroker
) -> Figures:
    figures: Figures = {}
    singles: list[float] = []
    for store, settings in companies.items():
        found = on_loop(_compared(settings, plain.url, run.seconds))
        figures[f"10 {store}"] = found.to_windowed
        singles.append(found.to_single)
        figures.update(found.told(store))
        safe = on_loop(_compared(settings, synced.url, run.seconds))
        figures.update(safe.told(f"{store}, every message synced"))
        figures[f"relay.{store}, every message synced.relay to windowed"] = safe.to_windowed
        figures[f"relay.{store}, every message synced.relay to one at a time"] = safe.to_single
    figures["11"] = min(singles)
    return figures


@contextmanager
def _relay(run: Run) -> Iterator[Round]:
    folder: Path = run.place("relay")
    shape = {EVENTS: CLIENTS_QUICKLY if run.is_quick else CLIENTS}
    with (
        postgres_limit(folder) as server,
        broker(folder / "plain") as plain,
        broker(folder / "synced", is_synced=True) as synced,
    ):
        companies = {
            "sqlite": Settings(data_dir=run.place("relay/sqlite")),
            "postgres": Settings(
                data_dir=run.place("relay/company"), database_url=server.database("company")
            ),
        }
        for settings in companies.values():
            asyncio.run(seeded(settings, shape))
        yield lambda: _measured(run, companies, plain, synced)


RELAY = Part(name="relay", about="events from a store to a stream: goals 10, 11", open=_relay)
