"""
README against the code.
"""

from __future__ import annotations

import re

from collections import Counter
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (`.*?) \|", re.MULTILINE)
SERVICE = re.compile(r"^service (\w+)", re.MULTILINE)
NAME = re.compile(r"`([^`]+)`")
FOLDERS = README.partition("## Where things are")[2].partition("\n## ")[0]


def test_every_service_has_a_row():
    """
    The table of services names each one that there is, once.
    """
    protos = (path.read_text("utf-8") for path in (ROOT / "protos/clientela/v1").glob("*.proto"))
    served = sorted(name for text in protos for name in SERVICE.findall(text))
    table = README.partition("## As a service")[2].partition("\n## ")[0]

    assert served == sorted(name for row in ROW.findall(table) for name in NAME.findall(row))


def test_a_folder_has_one_row():
    """
    No row of the table of folders stands there twice.
    """
    assert [] == [row for row, times in Counter(ROW.findall(FOLDERS)).items() if times > 1]


@pytest.mark.parametrize("row", sorted(set(ROW.findall(FOLDERS))))
def test_a_folder_is_there(row):
    """
    Each folder that README leads to is there.
    """
    assert all((ROOT / name).is_dir() for name in NAME.findall(row))
