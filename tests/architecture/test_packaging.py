"""
What a server leaves in a checkout stays out of archives and commits: its folder holds the keys
that every personal value opens with.
"""

from __future__ import annotations

import tomllib

from pathlib import Path

import pytest

from clientela.adapters.settings import DATA_DIR


ROOT = Path(__file__).parents[2]
TOUR_DATA = "tour-data"
"""Where the tour of README keeps its data."""


def packed():
    """The paths that an sdist is made of."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed: list[str] = settings["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    return listed


def test_an_sdist_is_made_of_what_is_listed():
    """
    S7: paths are named one by one, and each is there; a folder of data, of whatever name, is none.
    """
    assert [] == [path for path in packed() if not (ROOT / path).exists()]
    assert {"domain", "services", "protos", "adapters", "tests", "docs"} <= set(packed())
    assert set() == {str(DATA_DIR), TOUR_DATA, "."} & set(packed())


@pytest.mark.parametrize(
    "line",
    [f"/{DATA_DIR}/", f"/{TOUR_DATA}/", "/rejects.csv", "/deploy/secrets/", "keys.json"],
)
def test_what_a_server_leaves_is_not_committed(line):
    """
    S7: the folder of `make run`, what the tour writes, the secrets of the compose file, and key
    files wherever they are.
    """
    assert line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_tour_keeps_its_data_where_it_is_ignored():
    """
    The folder that README names is the one above.
    """
    assert f"CLIENTELA_DATA_DIR={TOUR_DATA}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
