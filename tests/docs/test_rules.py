"""
The table of rules against the code.
"""

from __future__ import annotations

import re

from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
DOMAIN = ROOT / "domain" / "clientela" / "domain"
ROW = re.compile(r"^\| ([A-Z]+-\d+) \|[^|]*\| ([^|]*`[^|]*) \|", re.MULTILINE)
CITED = re.compile(r"\b(?:DEV|LIFE|LOY|OWN|REC)-\d+\b")
BUILT, BEGUN = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8").split("## Begun")


def rows(text=BUILT):
    """Rule and file of every row; a row with two files counts twice."""
    return [
        (rule, file) for rule, files in ROW.findall(text) for file in re.findall("`(.*?)`", files)
    ]


@pytest.mark.parametrize(("rule", "file"), [*rows(), *rows(BEGUN)])
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


def test_every_rule_that_the_domain_cites_has_a_row():
    """
    What is cited is told, as built or as begun, and never as both.
    """
    built, begun = ({rule for rule, _ in rows(text)} for text in (BUILT, BEGUN))
    files = (path for path in DOMAIN.rglob("*") if path.suffix in {".py", ".toml"})
    cited = {rule for path in files for rule in CITED.findall(path.read_text(encoding="utf-8"))}

    assert cited == built | begun
    assert set() == built & begun
