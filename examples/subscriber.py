"""
Points that clients have earned, counted from the stream of events into a SQLite file.

    python subscriber.py SERVICE BROKER FILE      for instance localhost:7443 nats://localhost:4222

Kill it at any moment and start it again: each event counts once.
"""

import asyncio
import os
import sqlite3
import sys

from pathlib import Path

import nats

from clientela.sdk import Event, SqlitePositions, Subscriber, connect, gaps_of


TABLE = "CREATE TABLE IF NOT EXISTS points (wallet TEXT PRIMARY KEY, earned INTEGER NOT NULL)"
EARN = """
INSERT INTO points (wallet, earned) VALUES (?, ?)
ON CONFLICT (wallet) DO UPDATE SET earned = earned + excluded.earned
"""


def count(connection: sqlite3.Connection, event: Event) -> None:
    """Add the points of one event, in the transaction that also notes how far we are."""
    if event.name == "points-issued":
        points = sum(line["points"] for line in event.data["lines"])
        connection.execute(EARN, (event.id, points))


def token() -> str | None:
    """The broker's token: one that `clientela serve` runs itself keeps it in its data folder."""
    path = os.environ.get("NATS_TOKEN_FILE")
    return Path(path).read_text("utf-8").strip() if path else None


async def main(service: str, broker: str, path: str) -> None:
    """Follow the wallets of the company until told to stop."""
    positions = SqlitePositions(path, "points")
    positions.connection.execute(TABLE)
    connection = await nats.connect(broker, token=token())
    async with connect(service, actor="service/points") as client:
        stream = connection.jetstream()
        fetch = gaps_of(client)
        await Subscriber(stream, "points", positions, count, fetch, kinds=("wallet",)).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
