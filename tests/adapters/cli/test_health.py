"""
What probes ask.
"""

from __future__ import annotations

from clientela.adapters.cli.failure import Exit
from tests.e2e.verbs import said


def test_a_probe_needs_no_other_setting_than_the_folder(tmp_path, monkeypatch):
    """
    R18: a service may have been told by flags what a probe in the same container does not know: the
    image says `production` in its environment, and nothing of who is believed.
    """
    monkeypatch.setenv("CLIENTELA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CLIENTELA_MODE", "production")

    code, _, errors = said(["health"])

    assert Exit.UNREACHABLE == code
    assert f"no service runs over {tmp_path}" in errors
