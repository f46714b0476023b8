"""
The table of rules against the code.
"""

from __future__ import annotations

import re

from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
DOMAIN = ROOT / "domain" / "clientela" / "domain"
ROW = re.compile(r"^\| ([A-Z]+-\d+) \|[^|]*\| (`.*`) \|$", re.MULTILINE)


def rows():
    """Rule and file of every row; a row with two files counts twice."""
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    return [
        (rule, file) for rule, files in ROW.findall(text) for file in re.findall("`(.*?)`", files)
    ]


@pytest.mark.parametrize(("rule", "file"), rows())
def test_a_rule_stands_where_the_table_says(rule, file):
    """
    The file named for a rule is there and cites the rule.
    """
    assert re.search(rf"\b{rule}\b", (DOMAIN / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", sorted({rule for rule, _ in rows()}))
def test_a_rule_is_proved_by_a_test(rule):
    """
    Some test cites the rule.
    """
    tests = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    assert any(re.search(rf"\b{rule}\b", text) for text in tests)


def test_the_table_is_not_empty():
    """
    The table is read: it has a row for each rule built so far.
    """
    assert 30 < len({rule for rule, _ in rows()})
