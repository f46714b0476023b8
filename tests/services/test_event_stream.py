"""
The stream as a whole: compared with the store and made anew, and who wakes the relay.
"""

from __future__ import annotations

import asyncio
import itertools

import attrs
import pytest

from clientela.adapters.memory import MemoryStore
from clientela.adapters.memory_leases import MemoryLeases
from clientela.domain.errors import Category
from clientela.services.bus import BusUnavailableError, BusUnsuitableError, Held
from clientela.services.event_messages import EPOCH
from clientela.services.event_stream import PROBLEMS_MAX, EventStream, NoBusError, StreamStatus
from clientela.services.relay import Relay
from tests.services.buses import MemoryBus, MemoryTail
from tests.services.firm import MARTA, Firm, approach
from tests.services.streams import MESSAGES, History, amiss, filled, messages, positions


class Place:
    """A store, a bus, a relay between them, and what operators see of it."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.bus = MemoryBus()
        self.relay = Relay(store, MemoryLeases(), self.bus, MESSAGES, "a")
        ids = itertools.count(1)
        self.stream = EventStream(
            store, self.bus, MESSAGES, self.relay, lambda: f"rebuild-{next(ids)}"
        )

    async def drain(self) -> None:
        """Send everything."""
        while await self.relay.step():
            pass

    async def check(self) -> StreamStatus:
        """What a check says at its end."""
        return [status async for status in self.stream.check()][-1]

    async def rebuild(self) -> list[StreamStatus]:
        """What a rebuilding says on its way, the relay working meanwhile."""
        said: list[StreamStatus] = []
        async for status in self.stream.rebuild():
            said.append(status)
            await self.relay.step()
            await asyncio.sleep(0)
        return said


@pytest.fixture
async def place() -> Place:
    """A place with a hundred events, all of them sent."""
    made = Place(await filled(100))
    await made.drain()
    return made


def moved(held: Held, **headers: str) -> Held:
    """A message with other headers."""
    return attrs.evolve(held, headers={**held.headers, **headers})


async def test_stream_that_is_whole_agrees(place: Place):
    """R12: nothing is wrong with what the relay wrote; what is still to be sent is counted."""
    await History(name="d").grow(place.store, 5)
    said = await place.check()

    assert StreamStatus(done=100, total=105, waiting=5, is_complete=True) == said


async def test_missing_messages_are_named(place: Place):
    """G15: a hole anywhere, at the end of what was sent too, is named by journal and version."""
    row = (await place.store.read_all(9, 1))[0]
    del place.bus.held[9]
    said = await place.check()

    assert (f"{row.journal}@{row.version} is missing",) == said.problems
    assert 99 == said.done


async def test_repeated_and_swapped_messages_are_named(place: Place):
    """G13: what is there twice or before its time is found, since positions must grow."""
    held = place.bus.held
    held[20], held[21] = held[21], held[20]
    held.insert(50, held[40])
    said = await place.check()

    assert 3 == said.count
    assert ["out of its order" in problem for problem in said.problems].count(True) == 2


async def test_altered_message_is_named(place: Place):
    """F9: a message whose body is not that of its event is found."""
    place.bus.held[3] = attrs.evolve(place.bus.held[3], body=b"{}")
    said = await place.check()

    assert 1 == said.count
    assert "is not what the store has" in said.problems[0]


async def test_message_of_another_life_of_the_store_is_named(place: Place):
    """F24: what is left on the stream of events that a restored store does not have is found."""
    [stray] = messages(1, first=101, history=History(name="x"))
    headers = {**stray.headers, EPOCH: "9-other"}
    place.bus.held.append(
        Held(sequence=101, subject=stray.subject, headers=headers, body=stray.body)
    )
    said = await place.check()

    assert ("message 101 is of an event that the store does not have (9-other)",) == said.problems


async def test_message_of_somebody_else_is_named(place: Place):
    """What does not say where it stands is none of ours."""
    place.bus.held.insert(0, Held(sequence=1, subject="x", headers={}, body=b""))
    said = await place.check()

    assert ("message 1 is none of ours",) == said.problems


async def test_problems_are_listed_up_to_a_bound():
    """Of very many problems the first are listed and all are counted."""
    place = Place(await filled(PROBLEMS_MAX + 50))
    await place.drain()
    place.bus.held = place.bus.held[-1:]
    said = await place.check()

    assert PROBLEMS_MAX == len(said.problems)
    assert PROBLEMS_MAX + 49 == said.count


async def test_stream_that_must_not_be_used_is_a_problem(place: Place):
    """R12: why the bus refuses the stream is what the check finds."""

    async def refuse() -> MemoryTail:
        raise BusUnsuitableError("the stream is spoilt")

    place.bus.join = refuse  # type: ignore[method-assign]
    said = await place.check()

    assert ("the stream is spoilt",) == said.problems
    assert said.is_complete


async def test_rebuilding_ends_when_everything_is_sent_again(place: Place):
    """G15: asked for and followed to its end, the stream is whole again; a second time as well."""
    del place.bus.held[10:20]
    for _ in range(2):
        said = await place.rebuild()

        assert said[-1].is_complete
        assert list(range(1, 101)) == positions(place.bus.held)
        assert [] == amiss(place.bus.held)
        assert 0 == (await place.check()).count


async def test_rebuilding_goes_on_while_the_bus_is_away(place: Place):
    """G15: a bus that is away for a moment does not end a rebuilding."""
    said, rounds = list[StreamStatus](), 0
    async for status in place.stream.rebuild():
        said.append(status)
        rounds += 1
        place.bus.is_down = rounds in {2, 3}
        try:
            await place.relay.step()
        except BusUnavailableError:
            continue

    assert said[-1].is_complete
    assert list(range(1, 101)) == positions(place.bus.held)


async def test_two_rebuildings_asked_for_at_once_both_end(place: Place):
    """G15: who asked first is not left waiting when the relay carries out the later asking."""
    first, second = place.stream.rebuild(), place.stream.rebuild()
    await anext(first)
    await anext(second)
    await place.drain()

    assert (await anext(first)).is_complete
    assert (await anext(second)).is_complete
    assert list(range(1, 101)) == positions(place.bus.held)


def test_no_bus_is_a_refusal_with_a_reason():
    """A service without a bus says so, and what to do."""
    refusal = NoBusError()

    assert ("BUS_NONE", Category.RULE) == (refusal.reason, refusal.category)
    assert "--bus" in str(refusal)


async def test_every_commit_tells_and_nothing_else_does():
    """speed.md 6: the relay is woken by whatever was committed, not by trials or refusals."""
    firm = await Firm().open(MARTA)
    told: list[int] = []
    firm.path.committed = lambda: told.append(1)
    await firm.run(approach(MARTA), validate_only=True)
    assert [] == told
    await firm.run(approach(MARTA))

    assert [1] == told
