"""
Messages in over a real broker: duplicated, reordered, delayed, poisoned, killed in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import random

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import nats.errors
import pytest

from clientela.adapters.consumers.consumer import (
    ERASE_TRIES_MAX,
    FETCHED_MAX,
    LEASE,
    LEASE_TTL,
    POLL_S,
)
from clientela.adapters.consumers.stream import STREAM, SUBJECT, ensure
from clientela.adapters.jetstream.stream import StreamMisconfiguredError, StreamMissingError
from clientela.adapters.keys.failures import SealBrokenError
from clientela.adapters.memory_leases import MemoryLeases
from clientela.services.bus import BusUnavailableError
from clientela.services.inbox import Inbox
from clientela.services.metrics import Count, Level, NoMetrics
from clientela.services.parked import UNATTRIBUTED_KEPT, WAITING
from clientela.services.store_errors import StoreUnavailableError
from clientela.v1.client_pb2 import EraseClientRequest
from tests.adapters.consumers.shop import (
    Told,
    drained,
    interaction,
    purchase,
    returned,
    shop,
    shuffled,
    tell,
    till,
    visit,
    waiting,
)


DAY = (
    purchase("petra", "r-1", 90, 0.0),
    purchase("petra", "r-2", 45, 1.0),
    purchase("pavel", "r-3", 30, 1.5),
    returned("petra", "s-1", "r-1", 2.0),
    interaction("pavel", "c-1", 2.5),
    visit("petra", "v-1", 3.0),
    purchase("lena", "r-4", 12, 4.0),
    returned("lena", "s-2", "r-9", 5.0),
    purchase("lena", "r-9", 70, 6.0),
)
"""A day of three clients; one thing comes back before its purchase is told."""

CLIENTS = ("petra", "pavel", "lena")


async def test_figures_are_those_of_the_rpc(account, tmp_path):
    """
    R14: told over the bus, a day comes to the same figures as told by rpc, and nothing is parked:
    a return before its purchase waits in the record, not outside of it.
    """
    async with shop(tmp_path / "rpc", *CLIENTS) as called:
        for told in DAY:
            await called.call(told)
        expected = await called.figures()
    async with shop(tmp_path / "bus", *CLIENTS) as heard, till(account) as connection:
        await tell(connection, DAY)
        await drained(heard.consumer(account), connection)

        assert expected == await heard.figures()
        assert [] == await heard.parked()


async def test_duplicated_and_reordered_messages_come_to_the_same(account, tmp_path):
    """
    G13, F16: messages duplicated and out of order come to the figures of the plain day, but for
    which lines of returns were known when they came.
    """
    order = random.Random(5)
    async with shop(tmp_path / "rpc", *CLIENTS) as called:
        for told in DAY:
            await called.call(told)
        expected = await called.figures()
    async with shop(tmp_path / "bus", *CLIENTS) as heard, till(account) as connection:
        await tell(connection, shuffled(DAY, order))
        consumer = heard.consumer(account)
        await drained(consumer, connection)
        await tell(connection, DAY)
        await drained(consumer, connection)
        found = await heard.figures()
        for figures in (expected, found):
            for name in ("linesMatched", "linesUnmatched", "refunds", "refundsUnmatched"):
                figures[""]["trade"].pop(name, None)

        assert expected == found
        assert [] == await heard.parked()


async def test_message_again_by_rpc_changes_nothing(account, tmp_path):
    """
    The business identity is one, whichever way something comes in.
    """
    async with shop(tmp_path, *CLIENTS) as heard, till(account) as connection:
        await tell(connection, DAY)
        await drained(heard.consumer(account), connection)
        before = await heard.figures()
        for told in DAY:
            await heard.call(told)

        assert before == await heard.figures()


async def test_poison_parks_its_client_only(account, tmp_path):
    """
    G17: a message that is refused parks its client, whose later messages wait behind it in order;
    the others' are carried out.
    """
    said = (
        purchase("petra", "r-1", 90),
        purchase("petra", "r-1", 91),
        purchase("petra", "r-2", 45),
        purchase("pavel", "r-3", 30),
        Told("purchase", {"clientId": "lena", "purchase": {"id": "no source, no lines"}}),
        purchase("lena", "r-4", 12),
    )
    async with shop(tmp_path, *CLIENTS) as heard, till(account) as connection:
        await tell(connection, said)
        await drained(heard.consumer(account), connection)
        figures = await heard.figures()

        assert {"available": 90} == {"available": int(figures["petra"]["available"])}
        assert 30 == figures["pavel"]["available"]
        assert [
            ("client/lena", "purchase", "INVALID_VALUE"),
            ("client/lena", "purchase", WAITING),
            ("client/petra", "purchase", "IDEMPOTENCY_MISMATCH"),
            ("client/petra", "purchase", WAITING),
        ] == sorted(await heard.parked())


async def test_dropping_what_is_stuck_lets_the_rest_go_on(account, tmp_path):
    """
    G17: once the message that cannot be carried out is dropped, those behind it are carried out by
    themselves.
    """
    said = (purchase("petra", "r-1", 90), purchase("petra", "r-1", 91), purchase("petra", "r-2", 5))
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        await tell(connection, said)
        await drained(heard.consumer(account), connection)
        replays = heard.messages.replays
        assert 0 == await replays.mend()
        [stuck, _] = await replays.inbox.parked.page()
        await replays.inbox.parked.drop(stuck.number)
        assert 1 == await replays.mend()

        assert 95 == (await heard.figures())["petra"]["available"]
        assert [] == await heard.parked()


async def test_purchase_of_a_client_who_comes_later_is_carried_out_then(account, tmp_path):
    """
    A message that is ahead of its client's registration waits for it and is carried out by itself.
    """
    async with shop(tmp_path) as heard, till(account) as connection:
        await tell(connection, [purchase("petra", "r-1", 90), purchase("petra", "r-2", 5)])
        await drained(heard.consumer(account), connection)
        lane = "client/petra"
        assert [
            (lane, "purchase", "NOT_FOUND"),
            (lane, "purchase", WAITING),
        ] == await heard.parked()
        await heard.register("petra")
        inbox = heard.messages.replays.inbox
        now = inbox.now()
        inbox.now = lambda: now + timedelta(minutes=1)
        assert 2 == await heard.messages.replays.mend()

        assert 95 == (await heard.figures())["petra"]["available"]


async def test_parked_message_that_is_damaged_holds_up_its_client_only(account, tmp_path):
    """
    G17: what cannot be opened any more is told of; those of others are carried out all the same.
    """
    async with shop(tmp_path) as heard, till(account) as connection:
        replays = heard.messages.replays
        parked = replays.inbox.parked
        await tell(connection, [purchase("petra", "r-1", 90)])
        await drained(heard.consumer(account), connection)
        [kept] = await parked.page()
        await parked.drop(kept.number)
        await parked.park(attrs.evolve(kept, body=kept.body[:-20] + b'A"]}'))
        await tell(connection, [purchase("pavel", "r-2", 5)])
        await drained(heard.consumer(account), connection)
        await heard.register("petra", "pavel")
        replays.inbox.now = lambda: datetime.now(UTC) + timedelta(hours=2)

        with pytest.raises(SealBrokenError):
            await replays.mend()
        assert 5 == (await heard.figures())["pavel"]["available"]
        assert [("client/petra", "purchase", "NOT_FOUND")] == await heard.parked()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"clientId": 7}', b"\xff\xfe", b"null"])
async def test_unreadable_message_is_kept_in_a_lane_of_its_own(account, tmp_path, body):
    """
    G17: what nobody can read is parked, sealed, and holds up nobody.
    """
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        await connection.jetstream().publish(f"{SUBJECT}.purchase", body)
        await tell(connection, [purchase("petra", "r-1", 90)])
        await drained(heard.consumer(account), connection)
        [kept] = await heard.messages.replays.inbox.parked.page()

        assert 90 == (await heard.figures())["petra"]["available"]
        assert "INVALID_VALUE" == kept.reason
        assert body == await heard.messages.replays.inbox.parcels.opened(kept.id, kept.body)


@pytest.mark.parametrize("status", ["paid", "503", "404", "100"])
async def test_header_of_the_broker_s_own_holds_nobody_up(account, tmp_path, status):
    """
    G17: a till may call a header what the broker calls its own: its message is carried out like any
    other, and so are those behind it.
    """
    async with shop(tmp_path, "petra", "pavel") as heard, till(account) as connection:
        await tell(connection, [purchase("petra", "r-1", 90)], Status=status)
        await tell(connection, [purchase("pavel", "r-2", 5)])
        consumer = heard.consumer(account)
        taken = await consumer.step()
        await consumer.close()

        assert 2 == taken
        assert 90 == (await heard.figures())["petra"]["available"]


async def test_subject_nobody_knows_is_parked(account, tmp_path):
    """
    A message of an unknown kind is kept, not dropped.
    """
    async with shop(tmp_path) as heard, till(account) as connection:
        await connection.jetstream().publish(f"{SUBJECT}.rumour", b"{}")
        await drained(heard.consumer(account), connection)

        [(_, kind, reason)] = await heard.parked()
        assert ("rumour", "INVALID_VALUE") == (kind, reason)


@pytest.mark.parametrize(
    ("word", "kind"), [(b"\xef\xee", "\ufffd\ufffd"), (b"a\x00b", "a?b"), (b"x" * 3_000, "x" * 64)]
)
async def test_subject_that_is_no_text_holds_nobody_up(account, tmp_path, word, kind):
    """
    G17: a message on a subject in whatever encoding is parked under a name that can be kept and
    shown, and those behind it are carried out.
    """
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        raw: Any = connection
        await raw._send_command(b"PUB %b.%b 2\r\n{}\r\n" % (SUBJECT.encode(), word))
        await tell(connection, [purchase("petra", "r-1", 90)])
        consumer = heard.consumer(account)
        taken = await consumer.step()
        await consumer.close()

        assert 2 == taken
        assert [(kind, "INVALID_VALUE")] == [each[1:] for each in await heard.parked()]


async def test_killed_between_commit_and_ack_nothing_happens_twice(account, tmp_path):
    """
    F10: what was carried out, or parked, and not acknowledged comes again and changes nothing.
    """
    said = (*DAY, purchase("petra", "r-1", 91))
    async with shop(tmp_path, *CLIENTS) as heard, till(account) as connection:
        await tell(connection, said)
        first = heard.consumer(account)
        bound = await first._opened()
        messages = await first._fetched(bound)
        deliveries = [first._delivery(message, bound).inbound for message in messages]

        async def nothing(*_told):
            pass

        await heard.messages.replays.inbox.take(deliveries, nothing)
        before, parked = await heard.figures(), heard.messages.replays.inbox.parked
        await first.close()
        assert len(said) == await waiting(connection)
        await drained(heard.consumer(account), connection)
        [(_, _, reason), *behind] = await heard.parked()
        assert "IDEMPOTENCY_MISMATCH" == reason
        assert {WAITING} == {reason for _, _, reason in behind}
        await parked.drop((await parked.page())[0].number)
        await heard.messages.replays.mend()

        assert before == await heard.figures()
        assert [] == await heard.parked()


async def test_sabotage_ack_before_commit_is_seen(account, tmp_path):
    """
    F10: a consumer that acknowledges before it carries out loses what it had in hand: the check
    above can fail.
    """
    async with shop(tmp_path, *CLIENTS) as heard, till(account) as connection:
        await tell(connection, DAY)
        first = heard.consumer(account)
        bound = await first._opened()
        for message in await first._fetched(bound):
            await message.ack_sync()
        await first.close()

        assert 0 == await waiting(connection)
        assert 0 == (await heard.figures())[""]["trade"].get("purchases", 0)


async def test_everything_in_hand_comes_again_in_order(account, tmp_path):
    """
    Order: what a killed process had in hand is delivered to the next one at once, before anything
    that came later.
    """
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        await tell(connection, [purchase("petra", f"r-{n}", 1) for n in range(FETCHED_MAX + 5)])
        killed = heard.consumer(account)
        bound = await killed._opened()
        await killed._fetched(bound)
        await killed.close()
        follower = heard.consumer(account)
        again = await follower._fetched(await follower._opened())
        sequences = [message.metadata.sequence.stream for message in again]
        await follower.close()

        assert list(range(1, FETCHED_MAX + 1)) == sequences


async def test_message_that_kills_is_parked_untried(account, tmp_path):
    """
    Never redelivered for ever: when one start after the other ends with the same message in hand,
    that message is parked without being tried, and those behind it go on.
    """
    killer, harmless = purchase("petra", "r-1", 90), purchase("pavel", "r-2", 5)
    async with shop(tmp_path, "petra", "pavel") as heard, till(account) as connection:
        await tell(connection, [killer, harmless])
        inbox = heard.messages.replays.inbox
        died = 0

        class Dying(Inbox):
            async def take(self, messages, told):
                if any(b"r-1" in m.body for m in messages) and messages[0].tries < 5:
                    raise KeyboardInterrupt
                await inbox.take(messages, told)

        while await waiting(connection):
            consumer = heard.consumer(account)
            consumer._inbox = Dying(heard.running.core, inbox.parked)
            try:
                # A broker that is slow to answer is away, for the consumer: the next step goes on.
                with contextlib.suppress(BusUnavailableError):
                    await consumer.step()
            except KeyboardInterrupt:
                died += 1
            finally:
                await consumer.close()

        assert 5 == died
        assert [("client/petra", "purchase", "DELIVERED_TOO_OFTEN")] == await heard.parked()
        assert 5 == (await heard.figures())["pavel"]["available"]


async def test_erasure_and_time_leave_no_message_of_anybody(account, tmp_path):
    """
    G27, S8: a client's erasure takes what is parked of them, even what came before they were
    registered; what names nobody registered goes after thirty days, and others' stays.
    """
    said = (
        Told("purchase", {"clientId": "petra", "purchase": {"id": "no source, no lines"}}),
        purchase("petra", "r-2", 45),
        purchase("pavel", "r-3", 30),
        purchase("pavel", "r-3", 31),
        purchase("nobody", "r-4", 10),
        Told("purchase", {"clientId": 7}),
    )
    async with shop(tmp_path, "pavel") as heard, till(account) as connection:
        replays = heard.messages.replays
        await tell(connection, said)
        await drained(heard.consumer(account), connection)
        parked = replays.inbox.parked
        [early, _] = await parked.page(lane="client/petra")
        await heard.register("petra")
        assert 5 == await parked.count()
        erasing = EraseClientRequest(client_id="petra", act="act-1")
        await heard.client.clients.EraseClient(erasing)
        assert (3, []) == (await parked.count(), await parked.page(lane="client/petra"))

        await parked.park(early)
        await replays.sweep()
        assert (3, []) == (await parked.count(), await parked.page(lane="client/petra"))
        parked_at = max(kept.parked_at for kept in await parked.page())
        replays.inbox.now = lambda: parked_at + UNATTRIBUTED_KEPT - timedelta(hours=1)
        await replays.sweep()
        assert 3 == await parked.count()
        replays.inbox.now = lambda: parked_at + UNATTRIBUTED_KEPT + timedelta(microseconds=1)
        assert 2 == await replays.sweep()
        assert [("client/pavel", "purchase", "IDEMPOTENCY_MISMATCH")] == await heard.parked()


class KeptForGood:
    """A stream whose messages may not be overwritten."""

    def __init__(self):
        self.asked = 0

    async def delete_msg(self, _stream, _sequence):
        self.asked += 1
        raise nats.errors.TimeoutError


async def test_message_that_may_not_be_overwritten_holds_nobody_up(account, tmp_path):
    """
    Never blocked: where the broker denies to overwrite what bore personal values, that is tried a
    few times; then the message and those behind it are done.
    """
    said = (interaction("petra", "c-1", note="call Petra"), purchase("petra", "r-1", 90))
    context = KeptForGood()
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        await tell(connection, said)
        consumer: Any = heard.consumer(account)

        async def step():
            bound = consumer._bound or await consumer._opened()
            bound.context = context
            await type(consumer).step(consumer)

        consumer.step = step
        await drained(consumer, connection)
        await consumer.close()

        assert ERASE_TRIES_MAX == context.asked
        assert {"available": 90} == (await heard.figures())["petra"]
        assert [] == await heard.parked()


class AwayParked:
    """Parked messages of a store that is away for a while."""

    def __init__(self, kept, times):
        self._kept = kept
        self.left = times

    def __getattr__(self, name):
        return getattr(self._kept, name)

    async def lanes(self, among):
        if self.left:
            self.left -= 1
            raise StoreUnavailableError("away")
        return await self._kept.lanes(among)


async def test_messages_wait_while_the_store_is_away(account, tmp_path, monkeypatch):
    """
    Never lost: while the store cannot be reached messages are held, not counted as failed, and
    carried out when it is back.
    """
    monkeypatch.setattr("clientela.adapters.consumers.consumer.STORE_WAIT_S", 0.01)
    async with shop(tmp_path, *CLIENTS) as heard, till(account) as connection:
        inbox = heard.messages.replays.inbox
        inbox.parked = away = AwayParked(inbox.parked, 3)
        await tell(connection, DAY)
        await drained(heard.consumer(account), connection)

        assert 0 == away.left
        assert [] == await heard.parked()
        assert "5" == str((await heard.figures())[""]["trade"]["purchases"])


async def test_one_process_consumes_at_a_time(account, tmp_path):
    """
    Order: under one lease a second process takes nothing until the first gives it up.
    """
    leases = MemoryLeases()
    async with shop(tmp_path, *CLIENTS) as heard, till(account) as connection:
        first = heard.consumer(account, "first", leases=leases)
        second = heard.consumer(account, "second", leases=leases)
        await tell(connection, [purchase("petra", "r-1", 90)])
        assert 1 == await first.step()
        await tell(connection, [purchase("petra", "r-2", 5)])
        assert 0 == await second.step()
        assert 1 == await first.step()
        await first.close()
        await second.close()

        assert 95 == (await heard.figures())["petra"]["available"]


async def test_process_that_stands_by_asks_for_the_lease_now_and_then(account, tmp_path):
    """
    Any number of processes: one that stands by asks for the lease once a second, not at every
    pause of the one that fetches, since every asking is a write.
    """
    slept: list[float] = []

    async def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    leases = MemoryLeases()
    await leases.acquire(LEASE, "other", LEASE_TTL)
    async with shop(tmp_path) as heard:
        consumer = heard.consumer(account, "one", leases=leases)
        consumer.sleep = sleep
        with pytest.raises(asyncio.CancelledError):
            await consumer.run()

    assert [POLL_S] * 3 == slept


async def test_message_speaks_for_whom_its_headers_say(account, tmp_path):
    """
    S3: a message is carried out with what its sender may do: a client may not tell of purchases.
    """
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        told = [purchase("petra", "r-1", 90)]
        await tell(connection, told, **{"X-Clientela-Actor": "client/petra"})
        await drained(heard.consumer(account), connection)
        assert [("client/petra", "purchase", "ACCESS_DENIED")] == await heard.parked()
        [kept] = await heard.messages.replays.inbox.parked.page()

        assert '"client/petra"' in kept.principal


async def test_message_sent_again_as_it_should_have_been_is_another(account, tmp_path):
    """
    Never lost: what was parked for its credentials or its source and is sent again with the right
    ones is kept besides, and carried out when the first is dropped; plainly repeated it is not.
    """
    told = purchase("petra", "r-1", 90, purchase={"id": "r-1"})
    source = {"Clientela-Source": "till-7"}
    false, right = {"X-Clientela-Actor": "nobody"}, {"X-Clientela-Actor": "service/till"}
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        for headers in (right, right, {**source, **false}, {**source, **right}):
            await tell(connection, [told], **headers)
        await drained(heard.consumer(account), connection)
        replays = heard.messages.replays
        kept = await replays.inbox.parked.page()
        assert ["INVALID_VALUE", WAITING, WAITING] == [each.reason for each in kept]
        for each in kept[:2]:
            await replays.inbox.parked.drop(each.number)

        assert 1 == await replays.mend()
        assert 90 == (await heard.figures())["petra"]["available"]


async def test_message_with_false_credentials_is_carried_out_only_if_asked(account, tmp_path):
    """
    S3: what bears credentials that do not hold is not carried out by having waited behind another
    message, but if an operator answers for it.
    """
    first, false = purchase("petra", "r-1", 90), [purchase("petra", f"r-{n}", 5) for n in (2, 3)]
    async with shop(tmp_path) as heard, till(account) as connection:
        await tell(connection, [first])
        await tell(connection, false, **{"X-Clientela-Actor": "nobody"})
        await drained(heard.consumer(account), connection)
        await heard.register("petra")
        replays = heard.messages.replays
        replays.inbox.now = lambda: datetime.now(UTC) + timedelta(hours=2)
        lane, unknown = "client/petra", "UNAUTHENTICATED"

        assert 1 == await replays.mend()
        assert 0 == await replays.mend()
        assert [(lane, "purchase", unknown), (lane, "purchase", WAITING)] == await heard.parked()
        assert 2 == (await replays.replay(lane, is_answered=True)).done
        assert [] == await heard.parked()
        assert 100 == (await heard.figures())["petra"]["available"]


async def test_source_of_the_header_fills_the_identity(account, tmp_path):
    """
    A till that names itself in a header need not do so in every body, and cannot speak for another.
    """
    mine = purchase("petra", "r-1", 90, purchase={"id": "r-1"})
    foreign = purchase("pavel", "r-2", 5, purchase={"source": "till-8", "id": "r-2"})
    async with shop(tmp_path, "petra", "pavel") as heard, till(account) as connection:
        await tell(connection, [mine, foreign], **{"Clientela-Source": "till-7"})
        await drained(heard.consumer(account), connection)

        assert [("client/pavel", "purchase", "INVALID_VALUE")] == await heard.parked()
        assert 90 == (await heard.figures())["petra"]["available"]


@pytest.mark.parametrize("left_out", ["occurredAt", "purchase"])
async def test_message_must_say_what_makes_it_safe_to_repeat(account, tmp_path, left_out):
    """
    R14: without a business identity a second delivery would count twice, and without a moment a
    late one would be misdated: neither is carried out.
    """
    told = purchase("petra", "r-1", 90)
    poor = attrs.evolve(told, body={k: v for k, v in told.body.items() if k != left_out})
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        await tell(connection, [poor])
        await drained(heard.consumer(account), connection)

        assert [("client/petra", "purchase", "INVALID_VALUE")] == await heard.parked()


CANARY = "Waldemar Zwiebelkranz rang about the kettle"


def holding(folder, words):
    """Files below *folder* that hold *words* in plain."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if words.encode() in path.read_bytes()]


@pytest.mark.parametrize("client", ["petra", "nobody"])
async def test_personal_values_stay_in_no_file(
    shared_broker, account, tmp_path, monkeypatch, client
):
    """
    G27: a note that somebody put on the bus is taken in, or parked, sealed, and overwritten in the
    files of the broker, whatever else still waits there: it stands nowhere in plain.
    """
    monkeypatch.setattr("clientela.adapters.consumers.consumer.FETCHED_MAX", 1)
    told = interaction(client, "c-1", note=CANARY)
    async with shop(tmp_path / "shop", "petra") as heard, till(account) as connection:
        await tell(connection, [told, purchase("petra", "r-1", 90)])
        assert holding(shared_broker.folder, CANARY)
        consumer = heard.consumer(account)
        assert 1 == await consumer.step()
        await consumer.close()

        assert [] == holding(shared_broker.folder, CANARY)
        assert [] == holding(tmp_path, CANARY)
        assert 1 == await waiting(connection)
        parked = await heard.messages.replays.inbox.parked.page()
        assert [client == "nobody"] == [bool(parked)]


async def test_stream_is_checked(account):
    """
    R12: a stream that would lose messages is refused with what is wrong; none is made unasked,
    and who is to make it is told the page that says how.
    """

    async def closed():
        pass

    connection = await account.connect(closed)
    js = connection.jetstream()
    with pytest.raises(StreamMissingError, match=r"as docs/messages\.md says"):
        await ensure(js, may_create=False, replicas=1)
    await js.add_stream(name=STREAM, subjects=[f"{SUBJECT}.*"], max_age=60)
    with pytest.raises(StreamMisconfiguredError) as caught:
        await ensure(js, may_create=True, replicas=1)
    await connection.close()

    assert {"retention", "discard", "max_age"} <= {f.split(":")[0] for f in caught.value.faults}


@attrs.define
class Kept(NoMetrics):
    """Keeps the figures of messages."""

    fates: Counter[str] = attrs.field(factory=Counter[str])
    waiting: list[float] = attrs.field(factory=list[float])

    def count(self, what: Count, label: str = "", times: int = 1) -> None:
        if what is Count.TAKEN_IN:
            self.fates[label] += times

    def level(self, what: Level, value: float, label: str = "") -> None:
        if what is Level.CONSUMER_LAG and label == STREAM:
            self.waiting.append(value)


async def test_lag_and_fates_are_told(account, tmp_path):
    """
    Issue 3, 8: what waits behind the messages in hand is a figure, and what became of each.
    """
    kept = Kept()
    count = FETCHED_MAX + 6
    async with shop(tmp_path, "petra") as heard, till(account) as connection:
        calls = [interaction("petra", f"c-{number}", number / 10) for number in range(count - 1)]
        await tell(connection, [*calls, purchase("nobody", "r-1", 5, 0.0)])
        consumer = heard.consumer(account)
        consumer.metrics = kept
        await drained(consumer, connection)

    assert {"done": count - 1, "parked": 1} == kept.fates
    assert 6 in kept.waiting
    assert 0 == kept.waiting[-1]
