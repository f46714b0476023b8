"""
Events on the bus: the service with a broker of its own, and the verbs that look at it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process import Shop, kill
from tests.e2e.town import DEFINITIONS, STAFF, written


SECONDS_MAX = 120.0
POLL_SECONDS = 0.1


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A data folder that is not there yet."""
    return Shop(tmp_path / "data")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop with some events, none of which has left, for copies."""
    folder = tmp_path_factory.mktemp("opened")
    made = Shop(folder / "data")
    with made.served("--bus", "none"):
        settled(made, folder)
    return made


@pytest.fixture
def waiting(opened: Shop, tmp_path: Path) -> Shop:
    """A shop with some events, none of which has left."""
    return opened.copied(tmp_path / "data")


def settled(shop: Shop, tmp_path: Path) -> None:
    """Give a shop definitions and staff: some events."""
    shop.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), "--yes")
    shop.run("staff", written(tmp_path, "staff.toml", STAFF))


def tailed(shop: Shop, *arguments: object) -> list[dict[str, Any]]:
    """Messages that are on the stream."""
    said = shop.run("tail", "--since", "start", "--no-follow", "-o", "json", *arguments)
    return [json.loads(line) for line in said.out.splitlines()]


def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(POLL_SECONDS)


def agrees(shop: Shop) -> bool:
    """Whether everything is on the stream."""
    found = shop.run("stream", "check", "-o", "json", code=None)
    assert found.out, found.errors
    said = json.loads(found.out)
    return not said["waiting"] and not said["problem_count"]


def test_events_leave_on_a_broker_of_our_own(shop: Shop, tmp_path: Path):
    """
    `serve` starts a broker, every event is on it and agrees with the store, `tail` tells it in
    lines and as JSON, by journal and by kind; the broker ends with the service.
    """
    with shop.served():
        settled(shop, tmp_path)
        until(lambda: agrees(shop))
        everything = tailed(shop)
        units = tailed(shop, "--kind", "unit")
        one = tailed(shop, "--journal", "definitions/company")
        lines = shop.run("tail", "--since", "start", "--no-follow").out
        nothing = shop.run("tail", "--since", "1s", "--no-follow", "--kind", "draw").out

    assert len(everything) == len(lines.splitlines()) > len(units) > 0
    assert {"unit"} == {m["headers"]["Clientela-Journal"].partition("/")[0] for m in units}
    assert {"definitions/company"} == {m["headers"]["Clientela-Journal"] for m in one}
    assert "definitions-applied" in lines
    assert "" == nothing
    assert [m["headers"]["Clientela-Event"] for m in one] == [m["body"]["name"] for m in one]


def test_stream_verbs_work_without_a_service(waiting: Shop):
    """`stream check` and `stream rebuild` work on the files when no service runs."""
    with waiting.served():
        until(lambda: agrees(waiting))

    before = waiting.run("stream", "check").out
    rebuilt = waiting.run("stream", "rebuild", "--yes").out
    after = waiting.run("stream", "check").out

    assert "Stream and store agree" in before
    assert "Everything is sent again" in rebuilt
    assert "Stream and store agree" in after


def test_wiped_broker_is_filled_again_by_the_next_service(waiting: Shop):
    """G15: with the files of the broker thrown away the next service sends everything again."""
    with waiting.served():
        until(lambda: agrees(waiting))
        first = tailed(waiting)
    shutil.rmtree(waiting.folder / "nats")
    with waiting.served():
        until(lambda: agrees(waiting))
        again = tailed(waiting)

    assert first
    assert [m["body"] for m in first] == [m["body"] for m in again]


def test_service_that_is_killed_leaves_no_broker_and_loses_no_event(shop: Shop, tmp_path: Path):
    """G13, F1: killed -9, service and broker are gone; the next service goes on where it was."""
    service = shop.begin("serve", "--port", 0)
    try:
        shop.wait_for_service(service)
        settled(shop, tmp_path)
    finally:
        kill(service)
    with shop.served():
        until(lambda: agrees(shop))
        held = tailed(shop)

    versions: dict[str, list[int]] = {}
    for message in held:
        headers = message["headers"]
        journal = versions.setdefault(headers["Clientela-Journal"], [])
        journal.append(int(headers["Clientela-Version"]))
    assert versions
    assert [] == [v for v in versions.values() if v != list(range(1, len(v) + 1))]


def test_broker_that_is_killed_comes_back_while_commands_go_on(shop: Shop, tmp_path: Path):
    """F8: the broker killed -9 under a running service is started again, and misses nothing."""
    with shop.served():
        pid = json.loads((shop.folder / "nats" / "server.json").read_text())["pid"]
        os.kill(pid, signal.SIGKILL)
        settled(shop, tmp_path)
        until(lambda: shop.run("stream", "check", code=None).code == 0 and agrees(shop))
        assert pid != json.loads((shop.folder / "nats" / "server.json").read_text())["pid"]
        assert tailed(shop)


def test_service_runs_without_a_bus(shop: Shop, tmp_path: Path):
    """`--bus none` starts no broker; verbs of the stream say so."""
    with shop.served("--bus", "none"):
        shop.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), "--yes")
        refused = shop.run("stream", "check", code=1)

    assert "without a bus" in refused.errors
    assert not (shop.folder / "nats").exists()
    assert "has not started yet" in shop.run("tail", "--no-follow", code=3).errors


def test_service_starts_while_its_broker_is_down(shop: Shop, tmp_path: Path):
    """F8, G16: a broker that cannot be reached keeps nobody from serving."""
    with shop.served("--bus", "nats://127.0.0.1:1"):
        shop.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), "--yes")
        refused = shop.run("stream", "check", code=3)

    assert "cannot be reached" in refused.errors


@pytest.mark.parametrize("bus", ["nats://user:secret@127.0.0.1:1", "amqp://127.0.0.1", "nothing"])
def test_bus_is_named_without_secrets(shop: Shop, bus: str):
    """S9: an address with a password in it is refused, and not repeated."""
    refused = shop.run("serve", "--bus", bus, code=2)

    assert "bus_credentials" in refused.errors
    assert "secret" not in refused.errors


@pytest.mark.parametrize(
    "arguments",
    [("--since", "yesterday"), ("--kind", "customer"), ("--journal", "petra"),
     ("--journal", "client/petra", "--kind", "wallet")],
)  # fmt: skip
def test_what_tail_cannot_understand_is_said(shop: Shop, arguments: tuple[str, ...]):
    """A malformed bound is a mistake of the command line, with an example of a good one."""
    refused = shop.run("tail", *arguments, code=2)

    assert "expected" in refused.errors
