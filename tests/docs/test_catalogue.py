"""
The catalogue of events against the code.
"""

from __future__ import annotations

import re
import subprocess
import sys

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clientela.domain.event import event_type
from clientela.domain.standard import standard_rulebook


ROOT = Path(__file__).parents[2]
EVENTS = (ROOT / "docs" / "events.md").read_text("utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text("utf-8"))
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


def test_catalogue_is_that_of_the_code():
    """Generating it anew changes nothing; `make check` runs the same."""
    made = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "" == made.stdout + made.stderr
    assert 0 == made.returncode


@pytest.mark.parametrize(
    "cls", standard_rulebook().event_classes, ids=lambda cls: event_type(cls).stored_name
)
def test_every_event_is_in_both_documents(cls: type):
    """Every event of the standard rule sets has its place in the page and in the document."""
    name = event_type(cls).stored_name

    assert f"\n### {name}\n" in EVENTS
    assert name == MESSAGES[name.replace(".", "-")]["name"]


def references(plain: Any) -> Iterator[str]:
    """Everything that a document points at."""
    if isinstance(plain, dict):
        for name, value in plain.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(plain, list):
        for item in plain:
            yield from references(item)


def test_every_reference_of_the_document_leads_somewhere():
    """AsyncAPI: no `$ref` points at nothing."""
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]


def test_document_has_what_asyncapi_3_asks_for():
    """AsyncAPI 3: version, info, channels with an address, operations with action and channel."""
    assert "3.0.0" == DOCUMENT["asyncapi"]
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert {"client", "wallet", "unit", "employee", "definitions"} == DOCUMENT["channels"].keys()
    for kind, channel in DOCUMENT["channels"].items():
        assert f"clientela.v1.{kind}.{{partition}}" == channel["address"]
        assert {"partition"} == channel["parameters"].keys()
    for operation in DOCUMENT["operations"].values():
        assert "send" == operation["action"]


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_example_of_every_message_is_of_its_schema(name: str):
    """The golden example has the fields that the schema says, and those that it must have."""
    schema = MESSAGES[name]["payload"]["properties"]["payload"]
    [example] = MESSAGES[name]["examples"]
    payload = example["payload"]["payload"]

    assert payload.keys() <= schema["properties"].keys()
    assert set(schema.get("required", ())) <= payload.keys()
    assert MESSAGES[name]["name"] == example["payload"]["name"]


def test_every_link_of_the_page_leads_somewhere():
    """Links within the page have a heading."""
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", EVENTS, re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([^)]*)\)", EVENTS)) <= headings
