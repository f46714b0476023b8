from __future__ import annotations

import pytest

from clientela.domain.definitions.documents import (
    Change,
    ChangeKind,
    Document,
    differences,
    digest,
    document,
    parse,
    plain_of,
)
from clientela.domain.definitions.problems import DefinitionsError


def test_equal_content_is_an_equal_document():
    """
    Comments, order and spacing are not content.
    """
    one = document(parse("[a]\nx = 1\ny = 0.10 # rate\n[b]\nday = 2026-03-02"))
    other = document(parse("b.day = 2026-03-02\n[a]\ny = 0.10\nx = 1"))

    assert '{"a":{"x":1,"y":"0.10"},"b":{"day":"2026-03-02"}}' == one
    assert (one, digest(one)) == (other, digest(other))
    assert digest(one) != digest(document(parse("[a]\nx = 2")))


def test_document_is_plain_data_again():
    """
    What is stored can be read back.
    """
    plain = parse("[a]\nx = [1, { y = true }]")

    assert plain == plain_of(document(plain))


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 5000])
def test_what_is_no_document_is_refused(text):
    """
    A stored document is a table.
    """
    with pytest.raises(DefinitionsError):
        plain_of(Document(text))


def test_differences_name_each_changed_path():
    """
    What changes between two documents is told by path, tables of a list by their id.
    """
    old = parse(
        """
        [ownership]
        lapses_after_days = 30
        special_cases = ["moved"]
        [[lifecycle.models]]
        id = "a"
        entry = "x"
        [[lifecycle.models]]
        id = "b"
        """
    )
    new = parse(
        """
        [ownership]
        lapses_after_days = 60
        special_cases = ["moved", "asked"]
        may_request = false
        [[lifecycle.models]]
        id = "c"
        [[lifecycle.models]]
        id = "a"
        entry = "y"
        """
    )

    assert (
        Change("lifecycle.models[a].entry", ChangeKind.CHANGED, "x", "y"),
        Change("lifecycle.models[b]", ChangeKind.REMOVED, old={"id": "b"}),
        Change("lifecycle.models[c]", ChangeKind.ADDED, new={"id": "c"}),
        Change("ownership.lapses_after_days", ChangeKind.CHANGED, 30, 60),
        Change("ownership.may_request", ChangeKind.ADDED, new=False),
        Change("ownership.special_cases[1]", ChangeKind.ADDED, new="asked"),
    ) == differences(old, new)
    assert () == differences(old, old)


def test_true_is_not_one():
    """
    A change of type is a change.
    """
    assert (Change("x", ChangeKind.CHANGED, 1, True),) == differences({"x": 1}, {"x": True})


def test_number_of_changes_told_is_bounded():
    """
    A thousand changes are told, not more.
    """
    assert 1000 == len(differences({}, {f"k{i}": i for i in range(1500)}))
