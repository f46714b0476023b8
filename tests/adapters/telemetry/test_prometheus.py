"""
Figures over HTTP, as Prometheus reads them.
"""

from __future__ import annotations

import re
import socket
import urllib.request

from pathlib import Path

import pytest

from prometheus_client.parser import text_string_to_metric_families

from clientela.adapters.telemetry.failures import ExpositionError
from clientela.adapters.telemetry.prometheus import Exposition, PrometheusMetrics, exposed
from clientela.services.metrics import LABELS_MAX, Count, Level, Measure


CALLS = "clientela_calls_total"
COMMANDS = "clientela_history_commands_total"
METHOD = "/clientela.v1.OwnershipService/Approach"
FOLLOW = "/clientela.v1.EventService/FollowEvents"


def read(port):
    """Every sample by its name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_calls_are_counted_by_method_and_code():
    """
    Issue 3, 8: rate and errors by method and code; how long a stream lasts is no latency.
    """
    metrics = PrometheusMetrics()
    metrics.called(METHOD, "OK", 0.004)
    metrics.called(METHOD, "FAILED_PRECONDITION", 0.2)
    metrics.called(FOLLOW, "CANCELLED", None)

    with exposed(metrics, Exposition()) as port:
        found = read(port)

    assert {
        (METHOD, "OK"): 1,
        (METHOD, "FAILED_PRECONDITION"): 1,
        (FOLLOW, "CANCELLED"): 1,
    } == {tuple(labels): n for (name, *labels), n in found.items() if name == CALLS}
    assert 2 == found["clientela_call_seconds_count", METHOD]
    assert 1 == found["clientela_call_seconds_bucket", METHOD, "0.005"]
    assert ("clientela_call_seconds_count", FOLLOW) not in found


def test_commands_of_one_call_are_counted_by_method_code_and_reason():
    """
    Issue 3, 8: errors of an import are seen by method and reason, though its calls are answered.
    """
    metrics = PrometheusMetrics()
    for times in (64, 3):
        metrics.brought(METHOD, "OK", "", times)
    metrics.brought(METHOD, "ALREADY_EXISTS", "KEY_TAKEN", 2)

    with exposed(metrics, Exposition()) as port:
        found = read(port)

    assert {("", METHOD, "OK"): 67, (METHOD, "ALREADY_EXISTS", "KEY_TAKEN"): 2} == {
        tuple(labels): n for (name, *labels), n in found.items() if name == COMMANDS
    }
    assert not [key for key in found if key[0] == CALLS]


def test_every_figure_is_handed_out():
    """
    Issue 3, 8: whatever a service can tell, Prometheus can read.
    """
    metrics = PrometheusMetrics()
    for count in Count:
        metrics.count(count, "here", 3)
    for level in Level:
        metrics.level(level, 7, "here")
    for measure in Measure:
        metrics.measure(measure, 2)

    with exposed(metrics, Exposition()) as port:
        found = {name: value for (name, *_), value in read(port).items()}

    assert {3.0} == {found[f"clientela_{c.value.name}_total"] for c in Count}
    assert {7.0} == {found[f"clientela_{level.value.name}"] for level in Level}
    assert {1.0} == {found[f"clientela_{m.value.name}_count"] for m in Measure}


def test_labels_are_bounded():
    """
    S11: whoever makes up labels fills no memory; what is too much is told together.
    """
    metrics = PrometheusMetrics()
    for number in range(LABELS_MAX + 5):
        metrics.count(Count.CONFLICTS, f"command-{number}")

    with exposed(metrics, Exposition()) as port:
        found = read(port)

    assert 5 == found["clientela_conflicts_total", "other"]


def test_a_port_that_is_taken_is_refused():
    """
    An operator learns that figures cannot be read, instead of finding none.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ExpositionError, match="in use"),
            exposed(PrometheusMetrics(), Exposition(port=port)),
        ):
            pass


def test_others_do_not_read_it_unencrypted():
    """
    S10, G31: no plaintext beyond this machine.
    """
    with (
        pytest.raises(ExpositionError, match="other machines reach it"),
        exposed(PrometheusMetrics(), Exposition(host="0.0.0.0")),  # noqa: S104  # that is refused
    ):
        pass


def test_it_stops_with_its_block():
    """
    Nothing is left listening.
    """
    with exposed(PrometheusMetrics(), Exposition()) as port:
        read(port)

    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=60).close()


def test_the_page_for_operators_lists_every_figure():
    """
    What docs/operating.md says of figures is what there is.
    """
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(clientela_\w+)`", page, re.MULTILINE))
    counts = {f"clientela_{count.value.name}_total" for count in Count}
    levels = {f"clientela_{level.value.name}" for level in Level}
    measures = {f"clientela_{measure.value.name}" for measure in Measure}

    calls = {CALLS, COMMANDS, "clientela_call_seconds"}
    assert counts | levels | measures | calls == listed
