"""
Names of processes that hold leases.
"""

from __future__ import annotations

import os

import pytest

from clientela.adapters import holder
from clientela.services.leases import NAME_LENGTH_MAX


@pytest.mark.parametrize("host", ["till-2", "a-machine-with-a-name-of-many-words-6f7d"])
def test_holder_is_found_by_machine_and_process(host, monkeypatch):
    """
    G9: the name leads operators to the process, fits beside a lease, and is nobody else's.
    """
    monkeypatch.setattr("socket.gethostname", lambda: host)
    monkeypatch.setattr("os.getpid", lambda: 4_194_304)
    one, other = holder.new_holder(), holder.new_holder()

    assert f"{host[-holder.HOST_LENGTH_MAX :]}:{os.getpid()}" == one.partition("/")[0]
    assert one != other
    assert NAME_LENGTH_MAX >= len(one)
