"""
What callers and subscribers use; needs no server.

    connect(target) -> Client               every rpc, tried again where that is safe
    pages(rpc, request), items(...)         lists
    follow(client)                          events without a message bus
    Subscriber(...)                         events from the bus, each with its effect exactly once

    Positions: SqlitePositions, PostgresPositions

    CallError
      - RefusedError          the service decided so
      - UnresolvedError       whether it took effect is not known; repeat with the same request id
    EpochChangedError         the store was restored: what is known of it is void
"""

from __future__ import annotations

from clientela.sdk.client import Client, Tls, connect
from clientela.sdk.event import Event
from clientela.sdk.failures import CallError, RefusedError, UnresolvedError
from clientela.sdk.following import follow
from clientela.sdk.gaps import gaps_of
from clientela.sdk.pages import EndlessListError, items, pages
from clientela.sdk.positions import EpochChangedError, Position, Positions
from clientela.sdk.postgres_positions import PostgresPositions
from clientela.sdk.reader import Reader
from clientela.sdk.retrying import RetryPolicy
from clientela.sdk.sqlite_positions import SqlitePositions
from clientela.sdk.subscriber import Subscriber


__all__ = [
    "CallError",
    "Client",
    "EndlessListError",
    "EpochChangedError",
    "Event",
    "Position",
    "Positions",
    "PostgresPositions",
    "Reader",
    "RefusedError",
    "RetryPolicy",
    "SqlitePositions",
    "Subscriber",
    "Tls",
    "UnresolvedError",
    "connect",
    "follow",
    "gaps_of",
    "items",
    "pages",
]
