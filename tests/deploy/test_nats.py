"""
The settings of the broker, by the broker itself: what it takes, and what each identity may do.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import re
import socket
import ssl
import subprocess
import sys
import time

from pathlib import Path
from typing import Any

import attrs
import nats
import nats.errors
import nats.js.errors
import pytest

from cryptography import x509
from nats.aio.client import Client

from clientela.adapters.consumers.consumer import Consumer
from clientela.adapters.consumers.sender import Sender
from clientela.adapters.consumers.stream import STREAM as INBOUND_STREAM
from clientela.adapters.consumers.stream import ensure
from clientela.adapters.jetstream.bus import JetStreamBus
from clientela.adapters.jetstream.connection import Broker as Way
from clientela.adapters.jetstream.connection import let_go
from clientela.adapters.jetstream.stream import StreamMissingError, StreamShape
from clientela.adapters.memory import MemoryStore
from clientela.adapters.memory_leases import MemoryLeases
from clientela.adapters.nats_server import executable
from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.services.bus import BusUnavailableError
from clientela.services.inbound import read
from clientela.services.inbox import Fate
from clientela.services.passage import own_principal
from tests.adapters.authority import Authority
from tests.adapters.jetstream.brokers import free_ports


STARTED_SECONDS_MAX = 90.0
ANSWER_SECONDS_MAX = 60.0
STREAMS = ("clientela", "clientela-in")


@attrs.frozen
class Broker:
    """
    A broker under our settings.

    Attributes:
        folder: Its files, identities and certificates among them.

        port: Where it listens.
    """

    folder: Path
    port: int

    @property
    def environment(self):
        """What the settings take from the environment."""
        return {
            **os.environ,
            "NATS_NAME": "trial",
            "NATS_LISTEN": f"127.0.0.1:{self.port}",
            "NATS_STORE": str(self.folder / "store"),
            "NATS_CERTIFICATE": str(self.folder / "nats.crt"),
            "NATS_KEY": str(self.folder / "nats.key"),
        }

    def command(self, *more):
        """How it is called."""
        return [str(executable()), "--config", str(self.folder / "nats.conf"), *more]

    async def connected(self, name, **options):
        """A connection as the identity of this name."""
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        return await nats.connect(
            f"tls://127.0.0.1:{self.port}",
            tls=context,
            user_credentials=str(self.folder / f"{name}.creds"),
            allow_reconnect=False,
            connect_timeout=30,
            **options,
        )


def identities(deploy, folder):
    """What the script that makes identities says."""
    script = deploy / "nats" / "identities.py"
    command = [sys.executable, str(script), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def broker(deploy, tmp_path_factory):
    """A broker that runs under the settings as they are shipped."""
    folder = tmp_path_factory.mktemp("nats")
    identities(deploy, folder / "made").check_returncode()
    for file in (folder / "made").iterdir():
        file.rename(folder / file.name)
    authority = Authority()
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    key, certificate = authority.issue(here)
    (folder / "nats.key").write_bytes(key)
    (folder / "nats.crt").write_bytes(certificate)
    (folder / "ca.crt").write_bytes(authority.certificate)
    text = (deploy / "nats" / "nats.conf").read_text(encoding="utf-8")
    # The one port that is not taken from the environment; tests run side by side. And a machine
    # that is busy with them may need longer than three seconds to be let in.
    for shipped, here_ in (
        ('http: "127.0.0.1:8222"', 'http: "127.0.0.1:-1"'),
        ("  timeout: 3\n", f"  timeout: {ANSWER_SECONDS_MAX:.0f}\n"),
    ):
        assert 1 == text.count(shipped)
        text = text.replace(shipped, here_)
    (folder / "nats.conf").write_text(text, encoding="utf-8")
    [port] = free_ports(1)
    made = Broker(folder, port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            made.command(), env=made.environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, port, folder / "log")
        yield made
    finally:
        process.terminate()
        process.wait(30)


def _wait(process, port, log):
    deadline = time.monotonic() + STARTED_SECONDS_MAX
    while True:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        assert time.monotonic() < deadline, "the broker does not listen"
        time.sleep(0.02)


def test_the_broker_takes_its_settings(broker):
    """
    R12: `nats-server -t` finds nothing wrong with the file.
    """
    done = subprocess.run(
        broker.command("-t"), env=broker.environment, capture_output=True, text=True, check=False
    )

    assert "is valid" in done.stderr, done.stderr
    assert 0 == done.returncode


def test_a_setting_that_is_none_is_refused(broker):
    """
    The check above can fail: a misspelt setting does.
    """
    text = (broker.folder / "nats.conf").read_text(encoding="utf-8")
    wrong = broker.folder / "wrong.conf"
    wrong.write_text(text.replace("max_payload", "max_pay_load"), encoding="utf-8")
    command = [str(executable()), "--config", str(wrong), "-t"]
    done = subprocess.run(command, env=broker.environment, capture_output=True, check=False)

    assert 0 != done.returncode


def test_every_message_is_synced(deploy):
    """
    R12, G3: an acknowledged message is on the disk.
    """
    text = (deploy / "nats" / "nats.conf").read_text(encoding="utf-8")

    assert re.search(r"^\s*sync_interval: always$", text, re.MULTILINE)


async def test_nobody_comes_in_unencrypted_or_unnamed(broker):
    """
    S10, S13: TLS for all, and credentials for all.
    """
    context = ssl.create_default_context(cafile=broker.folder / "ca.crt")
    for way, tls in (("nats", None), ("tls", context)):
        client = Client()
        try:
            with pytest.raises((nats.errors.Error, OSError)):
                await client.connect(
                    f"{way}://127.0.0.1:{broker.port}",
                    tls=tls,
                    allow_reconnect=False,
                    connect_timeout=30,
                    error_cb=_ignore,
                )
        finally:
            await let_go(client)


async def _ignore(_error):
    """What the broker says of it is not what is tested."""


@pytest.fixture
async def streams(broker):
    """Both streams, made by who may."""
    client = await broker.connected("provisioner")
    context = client.jetstream(timeout=ANSWER_SECONDS_MAX)
    await context.add_stream(name="clientela", subjects=["clientela.v1.>"])
    await context.add_stream(name="clientela-in", subjects=["clientela.in.v1.>"])
    await context.publish("clientela.v1.client.0", b"{}")
    await context.publish("clientela.in.v1.visit", b"{}")
    yield broker
    for name in STREAMS:
        await context.delete_stream(name)
    await client.close()


DOES = {
    "publish events": ("clientela.v1.client.0", b"{}"),
    "send in": ("clientela.in.v1.purchase", b"{}"),
    "publish elsewhere": ("orders.new", b"{}"),
    "look at the stream": ("$JS.API.STREAM.INFO.clientela", b""),
    "read a message": ("$JS.API.STREAM.MSG.GET.clientela", b'{"seq":1}'),
    "list consumers": ("$JS.API.CONSUMER.NAMES.clientela", b"{}"),
    "make a stream": ("$JS.API.STREAM.CREATE.other", b"{}"),
    "change the stream": ("$JS.API.STREAM.UPDATE.clientela", b"{}"),
    "purge the stream": ("$JS.API.STREAM.PURGE.clientela", b"{}"),
    "delete a message": ("$JS.API.STREAM.MSG.DELETE.clientela", b'{"seq":1}'),
    "delete the stream": ("$JS.API.STREAM.DELETE.nowhere", b""),
    "look at what came in": ("$JS.API.STREAM.INFO.clientela-in", b""),
    "read what came in": ("$JS.API.STREAM.MSG.GET.clientela-in", b'{"seq":1}'),
    "take what came in": ("$JS.API.CONSUMER.NAMES.clientela-in", b"{}"),
    "stop who takes it": ("$JS.API.CONSUMER.DELETE.clientela-in.clientela-in", b""),
    "overwrite what came in": ("$JS.API.STREAM.MSG.DELETE.clientela-in", b'{"seq":9}'),
    "change its stream": ("$JS.API.STREAM.UPDATE.clientela-in", b"{}"),
    "purge its stream": ("$JS.API.STREAM.PURGE.clientela-in", b'{"keep":1}'),
    "look at the system": ("$SYS.REQ.SERVER.PING", b""),
}
"""What somebody may try, by subject and message."""

READS = {"look at the stream", "read a message", "list consumers"}
TAKES = {
    "look at what came in",
    "read what came in",
    "take what came in",
    "stop who takes it",
    "overwrite what came in",
}
MAY = {
    "service": READS | TAKES | {"publish events"},
    "subscriber": READS,
    "sender": {"send in"},
    "provisioner": set(DOES) - {"publish elsewhere", "look at the system"},
}
"""What each identity may do; everything else is denied."""


class Complaints:
    """What a broker complains of to one connection."""

    def __init__(self):
        self.denied = asyncio.Event()

    async def note(self, error):
        if "permissions violation" in str(error).lower():
            self.denied.set()


async def is_denied(broker, name, subject, message):
    """Whether the broker denies an identity a request, instead of answering it."""
    complaints = Complaints()
    client = await broker.connected(name, error_cb=complaints.note)
    asked = asyncio.create_task(client.request(subject, message, timeout=ANSWER_SECONDS_MAX))
    denied = asyncio.create_task(complaints.denied.wait())
    await asyncio.wait({asked, denied}, return_when=asyncio.FIRST_COMPLETED)
    assert denied.done() or not isinstance(asked.exception(), TimeoutError)
    for task in (asked, denied):
        task.cancel()
    await asyncio.gather(asked, denied, return_exceptions=True)
    await client.close()
    return complaints.denied.is_set()


@pytest.mark.parametrize("name", MAY)
async def test_everybody_may_do_what_they_need_and_no_more(streams, name):
    """
    G33: every identity on every class of subject; who runs cannot make, change, purge or delete.
    """
    found = {
        what
        for what, (subject, message) in DOES.items()
        if not await is_denied(streams, name, subject, message)
    }

    assert MAY[name] == found


@pytest.mark.parametrize("name", ["service", "subscriber", "sender"])
@pytest.mark.parametrize("subject", [">", "clientela.>", "clientela.in.v1.>", "$SYS.>"])
async def test_nobody_listens_to_everything(streams, name, subject):
    """
    G33: events are read through a consumer, where they are complete, and others' not at all.
    """
    complaints = Complaints()
    client = await streams.connected(name, error_cb=complaints.note)
    await client.subscribe(subject)
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        await complaints.denied.wait()
    await client.close()

    assert complaints.denied.is_set()


async def test_a_subscriber_reads_through_a_consumer(streams):
    """
    S13: what is allowed is enough to do the work.
    """
    client = await streams.connected("subscriber")
    context = client.jetstream(timeout=ANSWER_SECONDS_MAX)
    reader = await context.pull_subscribe("clientela.v1.>", stream="clientela")
    [message] = await reader.fetch(1, timeout=ANSWER_SECONDS_MAX)
    await message.ack_sync(timeout=ANSWER_SECONDS_MAX)
    await client.close()

    assert b"{}" == message.data


def way(broker, name):
    """How a process of the service comes in as the identity of this name."""
    return Way(
        urls=(f"tls://127.0.0.1:{broker.port}",),
        credentials=broker.folder / f"{name}.creds",
        ca_file=broker.folder / "ca.crt",
    )


async def answered(ask):
    """What the broker answers, however busy the machine is; the service itself asks again, too."""
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while True:
        try:
            return await ask()
        except BusUnavailableError:
            assert time.monotonic() < deadline, "the broker does not answer"


async def test_the_service_works_with_what_it_may(broker):
    """
    R12, S13: the stream is made by who may; the service finds it as it must be, joins it and reads
    its end, as an identity that could not have made it.
    """
    operator, service = way(broker, "provisioner"), way(broker, "service")
    missing = JetStreamBus(service, StreamShape(may_create=False))
    with pytest.raises(StreamMissingError):
        await answered(missing.join)
    await missing.close()
    made = JetStreamBus(operator, StreamShape())
    await answered(made.join)
    await made.close()
    bus = JetStreamBus(service, StreamShape(may_create=False))
    tail = await answered(bus.join)
    await bus.close()
    client = await broker.connected("provisioner")
    await client.jetstream(timeout=ANSWER_SECONDS_MAX).delete_stream("clientela")
    await client.close()

    assert 0 == tail.position


class Taking:
    """Takes every message for carried out."""

    def __init__(self):
        self.kinds = []

    async def take(self, messages, told):
        for message in messages:
            self.kinds.append(message.kind)
            await told(message, read(message), Fate.DONE)


async def test_messages_come_in_with_what_each_may(broker):
    """
    R12, S13: the stream of messages in is made by who may; a till sends, the service takes them in
    and overwrites one that bears personal values, as identities that could not have made it.
    """
    inbox: Any = Taking()
    sender = Sender(authenticator=DevelopmentAuthenticator(frozenset()), own=own_principal("in"))
    consumer = Consumer(
        way(broker, "service"),
        inbox,
        sender,
        leases=MemoryLeases(),
        store=MemoryStore(),
        holder="one",
        may_create=False,
    )
    with pytest.raises(StreamMissingError):
        await answered(consumer.step)
    operator = await broker.connected("provisioner")
    made = operator.jetstream(timeout=ANSWER_SECONDS_MAX)
    await ensure(made, may_create=True, replicas=1)
    till = await broker.connected("sender")
    sent = till.jetstream(timeout=ANSWER_SECONDS_MAX)
    await sent.publish("clientela.in.v1.interaction", b'{"clientId":"petra","note":"call Petra"}')
    await sent.publish("clientela.in.v1.purchase", b"{}")
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while (await made.stream_info(INBOUND_STREAM)).state.messages:
        assert time.monotonic() < deadline, "messages are left"
        await answered(consumer.step)
    await consumer.close()
    await made.delete_stream(INBOUND_STREAM)
    await operator.close()
    await till.close()

    assert {"interaction", "purchase"} == set(inbox.kinds)


def test_identities_are_made_once_and_kept_from_others(deploy, tmp_path):
    """
    S9: seeds and credentials are for their owner, and nothing is overwritten.
    """
    first = identities(deploy, tmp_path / "made")
    before = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    again = identities(deploy, tmp_path / "made")
    after = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "made").iterdir()}

    assert (0, 1) == (first.returncode, again.returncode)
    assert before == after
    assert {"auth.conf": 0o644} == {name: mode for name, mode in modes.items() if mode != 0o600}
    assert b"SU" not in before["auth.conf"].split(b"resolver_preload")[0][:40]


def test_without_a_folder_it_says_what_it_does(deploy):
    """
    Exit code 2, and its manual.
    """
    script = deploy / "nats" / "identities.py"
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )

    assert 2 == done.returncode
    assert "identities.py FOLDER" in done.stdout
