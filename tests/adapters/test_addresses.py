from __future__ import annotations

import os

import pytest

from clientela.adapters.addresses import Address, found, told


def test_an_address_is_told_while_the_service_runs(tmp_path):
    """
    Verbs find the service by the file, and find none when it has stopped.
    """
    path = tmp_path / "service.json"

    with told(path, "127.0.0.1:7443", is_encrypted=True):
        running = found(path)

    assert Address(target="127.0.0.1:7443", pid=os.getpid(), is_encrypted=True) == running
    assert found(path) is None


def test_the_word_of_another_service_stays(tmp_path):
    """
    Several processes over one database may share the folder of keys: one that ends leaves what the
    one that was started later said, which still runs.
    """
    path = tmp_path / "service.json"
    later = '{"address": "127.0.0.1:7444", "pid": 1, "tls": false}'

    with told(path, "127.0.0.1:7443", is_encrypted=True):
        path.write_text(later)

    assert Address(target="127.0.0.1:7444", pid=1) == found(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"address": "x"}',
        '{"pid": "x"}',
        '{"address": "x", "pid": 1, "tls": false}',
        "x" * 9_999,
    ],
)
def test_what_is_no_address_is_none(tmp_path, text):
    """
    A file broken by a crash is as good as none.
    """
    path = tmp_path / "service.json"
    path.write_text(text)

    assert found(path) is None
