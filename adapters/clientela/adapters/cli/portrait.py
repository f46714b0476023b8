"""
A client as `clientela show` tells of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from clientela.adapters.cli.output import amount, moment, plain, table
from clientela.adapters.cli.timeline import Facts, entry_plain, fact, facts_of, told
from clientela.v1.client_pb2 import Client, ClientKind, Standing, TimelineEntry
from clientela.v1.common_pb2 import Explanation
from clientela.v1.lifecycle_pb2 import ExplainStageResponse, Verdict, WayOut
from clientela.v1.loyalty_pb2 import ExplainBalanceResponse
from clientela.v1.ownership_pb2 import Ownership


LOTS_SHOWN = 10
"""Lots of points that a table explains; JSON has all."""

FACTS_SHOWN = 8
"""Facts that a table names for one thing; JSON has all."""


@attrs.frozen(kw_only=True)
class Portrait:
    """
    What is known of a client.

    Attributes:
        client: Who.

        ownership: Who looks after them.

        stages: Where they stand in each model, and the ways out.

        balance: Their points; None where they have no wallet.

        entries: What happened, in the order of recording.

        is_explained: Whether the reasons are asked for.
    """

    client: Client
    ownership: Ownership
    stages: Sequence[ExplainStageResponse]
    balance: ExplainBalanceResponse | None
    entries: Sequence[TimelineEntry]
    is_explained: bool


def as_plain(portrait: Portrait) -> dict[str, Any]:
    """All of it as plain data."""
    stages = [plain(each) for each in portrait.stages]
    balance = None if portrait.balance is None else plain(portrait.balance)
    if not portrait.is_explained:
        stages = [each["stage"] for each in stages]
        balance = None if balance is None else balance["balance"]
    return {
        "client": plain(portrait.client),
        "ownership": plain(portrait.ownership),
        "stages": stages,
        "balance": balance,
        "timeline": [entry_plain(entry) for entry in portrait.entries],
    }


def tell(portrait: Portrait, entries_max: int) -> None:
    """Tell of a client in tables, with the latest *entries_max* things that happened."""
    client = portrait.client
    table(f"Client {client.client_id}", ("", ""), [*_card(client), *_care(portrait)])
    table(
        "Stages",
        ("model", "stage", "since", "until, if nothing happens"),
        [
            (s.stage.model, s.stage.stage, moment(s.stage.since), moment(s.stage.explanation.until))
            for s in portrait.stages
        ],
    )
    latest = portrait.entries[-entries_max:]
    left_out = len(portrait.entries) - len(latest)
    title = f"What happened (the latest {len(latest)}, {left_out} before)" if left_out else ""
    rows = [(moment(e.event.occurred_at), e.event.name, told(e)) for e in latest]
    table(title or "What happened", ("when (UTC)", "what", ""), rows)


def _card(client: Client) -> Iterator[tuple[str, str]]:
    yield "kind", ClientKind.Name(client.kind).removeprefix("CLIENT_KIND_").lower()
    yield "standing", Standing.Name(client.standing).removeprefix("STANDING_").lower()
    if client.details.name:
        yield "name", client.details.name
    for identifier in client.identifiers:
        yield identifier.kind, f"{identifier.text}{' (shared)' if identifier.shared else ''}"
    for source in client.sources:
        yield f"id in {source.source}", source.id
    yield "registered", moment(client.registered_at)
    if client.HasField("erased_at"):
        yield "erased", moment(client.erased_at)
    if client.personal_withheld:
        yield "personal values", "withheld: not for this caller"


def _care(portrait: Portrait) -> Iterator[tuple[str, str]]:
    ownership = portrait.ownership
    if ownership.owner_id:
        since = f"{ownership.owner_id} of {ownership.unit_id}, since {moment(ownership.since)}"
        yield "owner", f"{since}{' (has left: orphaned)' if ownership.orphaned else ''}"
        if ownership.HasField("lapses_at"):
            yield "ownership lapses", moment(ownership.lapses_at)
    else:
        yield "owner", "none"
    if portrait.balance is None:
        yield "points", "no wallet"
        return
    balance = portrait.balance.balance
    worth = f", worth {amount(balance.worth)}" if balance.HasField("worth") else ""
    yield "points", f"{balance.available:,} available{worth}"
    if balance.debt:
        yield "points owed", f"{balance.debt:,}"
    if balance.HasField("next_expiry_at"):
        gone = f"{balance.next_expiry_points:,} on {moment(balance.next_expiry_at)}"
        yield "next to expire", gone


def tell_why(portrait: Portrait) -> None:
    """Tell why the owner is the owner, why the stages are the stages, and the points the points."""
    facts = facts_of(portrait.entries)
    if portrait.ownership.HasField("explanation"):
        _tell("Why this owner", portrait.ownership.explanation, facts)
    for each in portrait.stages:
        stage = each.stage
        _tell(f"Why {stage.stage} in {stage.model}", stage.explanation, facts)
        for way in each.ways:
            print(f"  way out to {way.to}: {_verdict(way)}")
    if portrait.balance is not None:
        _tell_points(portrait.balance, facts)


def _tell(title: str, explanation: Explanation, facts: Facts) -> None:
    definition = f" of {explanation.definition}" if explanation.definition else ""
    print(f"\n{title}: rule {explanation.rule}{definition}")
    for line in _facts(explanation.because, facts):
        print(f"  because of {line}")
    if explanation.HasField("until"):
        print(f"  until {moment(explanation.until)}, if nothing happens before")


def _facts(refs: Sequence[Any], facts: Facts) -> Iterator[str]:
    yield from (fact(ref, facts) for ref in refs[:FACTS_SHOWN])
    if len(refs) > FACTS_SHOWN:
        yield f"{len(refs) - FACTS_SHOWN} more; -o json names them"


def _verdict(way: WayOut) -> str:
    verdict: Verdict = way.verdict
    state = "open" if verdict.holds else "closed"
    measured = f", now {verdict.measured}" if verdict.HasField("measured") else ""
    changes = ""
    if verdict.HasField("changes_at"):
        changes = f", changes by itself on {moment(verdict.changes_at)}"
    return f"{state}: {verdict.condition}{measured}{changes}"


def _tell_points(explained: ExplainBalanceResponse, facts: Facts) -> None:
    print(f"\nWhy {explained.balance.points:,} points:")
    for story in explained.lots[:LOTS_SHOWN]:
        lot = story.lot
        until = f", until {moment(lot.expires_at)}" if lot.HasField("expires_at") else ""
        print(f"  {lot.remaining:,} of {lot.issued:,} in {lot.lot_id} ({lot.definition}){until}")
        for movement in story.movements:
            print(f"    {movement.points:+,} by {fact(movement.fact, facts)}")
    if len(explained.lots) > LOTS_SHOWN:
        print(f"  {len(explained.lots) - LOTS_SHOWN} lots more; -o json names them")
    for movement in explained.debt:
        print(f"  owed {movement.points:+,} by {fact(movement.fact, facts)}")
