"""
What those see who look after a service, from outside its process.
"""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.request

import pytest

from tests.e2e.process import Shop, kill


CHANGES_SECONDS_MAX = 60.0


@pytest.fixture
def shop(tmp_path):
    """A data folder that is not there yet, in real time."""
    return Shop(tmp_path / "data", is_virtual=False)


@pytest.fixture
def port():
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_a_probe_asks_the_service_and_ends_with_what_it_says(shop):
    """
    R18: 0 for serving, 2 for a name that nobody knows, 3 when nobody answers.
    """
    nobody = shop.run("health", code=3)
    with shop.served("--health-port", 0) as service:
        ready = shop.run("health")
        alive = shop.run("health", "liveness", "--quiet")
        branch = shop.run("health", "clientela.v1.OwnershipService")
        unknown = shop.run("health", "clientela.v1.Nothing", code=2)
        kill(service)
        killed = shop.run("health", code=3)

    assert ("serving\n", "", "serving\n") == (ready.out, alive.out, branch.out)
    assert "no service runs" in nobody.errors
    assert "knows nothing of" in unknown.errors
    assert "no service answers" in killed.errors


def test_a_broker_that_is_away_is_told_and_stops_nothing(shop):
    """
    F8: the service starts without its broker, serves, and says that events wait.
    """
    with shop.served("--bus", "nats://127.0.0.1:9"):
        deadline = time.monotonic() + CHANGES_SECONDS_MAX
        while shop.run("health", "bus", code=None).code != 1:
            assert time.monotonic() < deadline, "nobody says that the broker is away"
        shop.run("health", "readiness")
        shop.run("stats")


def test_every_line_is_json_when_it_is_asked_for(shop):
    """
    S9: machines read the whole output, from the first line to the last; each call is one of them.
    """
    service = shop.begin("serve", "--port", 0, "--log-format", "json", "--log-level", "info")
    shop.wait_for_service(service)
    shop.run("stats")
    service.send_signal(signal.SIGTERM)
    out, _ = service.communicate(timeout=60)

    lines = [json.loads(line) for line in out.splitlines()]
    calls = [line for line in lines if line["logger"] == "clientela.calls"]
    assert 0 == service.returncode
    assert ["/clientela.v1.InsightService/GetStats"] == [line["method"] for line in calls]


def test_figures_are_handed_out_while_it_serves(shop, port):
    """
    Issue 3, 8: at a port of its own, on this machine.
    """
    with shop.served("--metrics-port", port):
        shop.run("stats")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            text = answer.read().decode()

    method = 'code="OK",method="/clientela.v1.InsightService/GetStats"'
    assert f"clientela_calls_total{{{method}}} 1.0" in text
    assert 'clientela_serving{part="readiness"} 1.0' in text


def test_figures_that_cannot_be_handed_out_keep_it_from_starting(shop):
    """
    An operator who asked for figures learns that there are none.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = shop.run("serve", "--port", 0, "--metrics-port", port, code=1)
    others = shop.run(
        "serve", "--port", 0, "--metrics-port", 0, "--metrics-host", "192.0.2.1", code=1
    )

    assert f"127.0.0.1:{port}" in told.errors
    assert "other machines reach it" in others.errors


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--log-format", "xml", "CLIENTELA_LOG_FORMAT: expected json or text"),
        ("--log-level", "loud", "CLIENTELA_LOG_LEVEL: expected debug, info, warning or error"),
        ("--trace-endpoint", "collector", "CLIENTELA_TRACE_ENDPOINT: expected http://host:port"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(shop, option, value, expected):
    """
    Exit code 2, and what was expected.
    """
    assert expected in shop.run("serve", option, value, code=2).errors


def test_a_collector_that_is_away_holds_nobody_up(shop):
    """
    Spans are dropped; the service starts, serves and stops in its time.
    """
    with shop.served("--trace-endpoint", "http://127.0.0.1:9"):
        shop.run("stats")
        begun = time.monotonic()

    assert time.monotonic() - begun < 40


def test_keys_for_several_processes_are_made_once(shop):
    """
    S8: a key file that is there, or a store that may be sealed with another, is left alone.
    """
    shop.run("keys", "make")
    before = (shop.folder / "keys.json").read_bytes()
    again = shop.run("keys", "make", code=1)
    shop.make()

    assert "holds a store or keys already" in again.errors
    assert before == (shop.folder / "keys.json").read_bytes()
    assert 0o600 == (shop.folder / "keys.json").stat().st_mode & 0o777
