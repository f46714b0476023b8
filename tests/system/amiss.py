"""
What is amiss after kills: lost, twice, or not what an independent sum comes to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc.aio

from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.vault import KeyVault
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import Ref
from clientela.services.envelope import decode
from clientela.services.translate.fields import journal_id
from tests.services.edge import refusal_of
from tests.system.kills import CLIENTS, Told
from tests.system.wire import Service, answer_of, request_of, served


REPEATS_MAX = 150
"""Commands sent once more at the end."""

EFFECTS = {
    "RecordPurchase": "purchase-recorded",
    "Approach": "approach-made",
    "SpendPoints": "points-captured",
}
"""Name of the event that a command which is carried out leaves exactly once."""


async def amiss(folder: Path, told: Sequence[Told]) -> list[str]:
    """
    Everything that is wrong with the store in *folder*, which nobody serves.

    Args:
        folder: Data of the service.

        told: All that was acknowledged, and all that was ever sent.
    """
    async with served(folder) as service:
        events = await history(service)
        return [
            *(await service.wire.call("Verify")).problems,
            *lost_or_twice(folder, events, told),
            *uncounted(events, told),
            *await unequal(service, told),
            *await unlike(service, told),
        ]


async def history(service: Service) -> list[RecordedEvent]:
    """Every event, in order of commits."""
    core, position = service.running.core, 0
    found: list[RecordedEvent] = []
    while page := await core.store.read_all(position):
        position = page[-1].position
        found.extend(decode(core.path.records.codec, row) for row in page)
    return found


def parsed(one: Told) -> Any:
    """The request that was sent."""
    return request_of(one.method).FromString(one.request)


def lost_or_twice(
    folder: Path, events: Sequence[RecordedEvent], told: Sequence[Told]
) -> Iterator[str]:
    """Acknowledged commands whose events are not there, or are there more than once."""
    vault = KeyVault(KeyFile(folder / "keys.json"))
    appends: defaultdict[str, set[str]] = defaultdict(set)
    by_ref = {recorded.ref: recorded for recorded in events}
    for recorded in events:
        if recorded.request:
            appends[recorded.request].add(recorded.append_id)
    for one in told:
        request_id = parsed(one).request_id
        blind = vault.blind("request", request_id)
        if len(appends[blind]) > 1:
            yield f"{request_id} was carried out {len(appends[blind])} times"
        if not one.answer:
            continue
        answer = answer_of(one.method, one.answer)
        for ref in answer.outcome.events:
            stood = by_ref.get(Ref(journal_id(ref.journal, "journal"), ref.version))
            if stood is None or stood.request != blind:
                yield f"{request_id} was acknowledged and its event is not there"
        if not answer.outcome.events:
            yield f"{request_id} was acknowledged without any event"


def uncounted(events: Sequence[RecordedEvent], told: Sequence[Told]) -> Iterator[str]:
    """Effects that are not as many as were acknowledged."""
    found = Counter(recorded.type.name for recorded in events)
    expected = Counter(EFFECTS[one.method] for one in told if one.answer)
    expected["approach-refused"] = sum(one.method == "Approach" for one in told if not one.answer)
    for name, count in sorted(expected.items()):
        if found[name] != count:
            yield f"{found[name]} of {name}, {count} were acknowledged"
    for field, name in (("purchase", "purchase-recorded"), ("spend", "points-captured")):
        identities = Counter(
            getattr(recorded.event, field) for recorded in events if recorded.type.name == name
        )
        yield from (f"{name} {key} is there {n} times" for key, n in identities.items() if n > 1)


async def unequal(service: Service, told: Sequence[Told]) -> list[str]:
    """Balances that are not what was earned less what was spent, counted anew."""
    expected: Counter[str] = Counter()
    for one in told:
        if one.answer and one.method == "RecordPurchase":
            asked = parsed(one)
            expected[asked.client_id] += asked.lines[0].net.units
        elif one.answer and one.method == "SpendPoints":
            asked = parsed(one)
            expected[asked.wallet_id] -= asked.points
    found: list[str] = []
    for number in range(CLIENTS):
        wallet_id = f"c-{number}"
        balance = await service.wire.call("GetBalance", wallet_id=wallet_id)
        if balance.points != expected[wallet_id]:
            found.append(f"{wallet_id} has {balance.points} points, {expected[wallet_id]} are due")
    return found


async def unlike(service: Service, told: Sequence[Told]) -> list[str]:
    """Commands that are answered otherwise when they are sent again."""
    found: list[str] = []
    before = await service.running.core.store.last_position()
    for one in told[:: max(1, len(told) // REPEATS_MAX)]:
        again = await repeated(service, one)
        expected = without_mark(one) if one.answer else one.refusal
        if again != expected:
            found.append(f"{parsed(one).request_id} is answered otherwise than before")
    if before != await service.running.core.store.last_position():
        found.append("commands sent again left events")
    return found


async def repeated(service: Service, one: Told) -> Any:
    """What a command is answered when it is sent again."""
    try:
        raw = await service.wire.raw(one.method, one.request)
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)
    return without_mark(Told(one.method, one.request, raw))


def without_mark(one: Told) -> Any:
    """An answer, whether it is a repeat or not."""
    answer = answer_of(one.method, one.answer)
    answer.outcome.ClearField("replayed")
    return answer
