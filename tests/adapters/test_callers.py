from __future__ import annotations

import pytest

from clientela.adapters.tokens.callers import CallersError, callers_of
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, PrincipalId, UnitId
from clientela.services.principal import Grant, Principal


GOOD = """
[[callers]]
uri = "spiffe://shop.example/till"
actor = "service/till"
permissions = ["client.read", "purchase.write"]

[[callers]]
uri = "https://partner.example"
actor = "partner/agency"
permissions = ["client.read"]
unit = "north"
"""


def read(folder, text):
    """Who is behind each URI by a file of this text."""
    path = folder / "callers.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return callers_of(path)


def test_callers_are_read_with_what_was_granted_to_them(tmp_path):
    """
    S1: a certificate's URI stands for a service or partner, its permissions and its unit.
    """
    till = Principal(
        actor=Actor(ActorKind.SERVICE, PrincipalId("till")),
        grants=(Grant(Code("client.read")), Grant(Code("purchase.write"))),
    )
    agency = Principal(
        actor=Actor(ActorKind.PARTNER, PrincipalId("agency")),
        grants=(Grant(Code("client.read"), UnitId("north")),),
        unit_id=UnitId("north"),
    )

    assert {"spiffe://shop.example/till": till, "https://partner.example": agency} == read(
        tmp_path, GOOD
    )


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("[[callers]]", "[[caller]]", "[[callers]]"),
        ('uri = "https://partner.example"', "", "callers[1].uri"),
        ('uri = "https://partner.example"', 'uri = "partner"', "callers[1].uri"),
        ('uri = "https://partner.example"', 'uri = "spiffe://shop.example/till"', "callers[1].uri"),
        ("partner/agency", "employee/marta", "callers[1].actor"),
        ("partner/agency", "system/clientela", "callers[1].actor"),
        ("partner/agency", "agency", "callers[1].actor"),
        ('["client.read"]', "[]", "callers[1].permissions"),
        ('["client.read"]', "[7]", "callers[1].permissions"),
        ('["client.read"]', '"client.read"', "callers[1].permissions"),
        ('unit = "north"', 'unit = "north south"', "callers[1].unit"),
        ('unit = "north"', 'untl = "2026"', "callers[1].untl"),
    ],
)
def test_a_file_with_a_mistake_is_refused_whole(tmp_path, old, new, place):
    """
    A mistake is named by its place; nobody gets in by the rest of the file.
    """
    assert old in GOOD

    with pytest.raises(CallersError, match=r".") as caught:
        read(tmp_path, GOOD.replace(old, new))

    assert place in str(caught.value)


@pytest.mark.parametrize("text", ["", "[[", b"\xff", "callers = 7", "x" * 2_000_000])
def test_what_is_no_list_of_callers_is_refused(tmp_path, text):
    """
    A file that is something else lets nobody in.
    """
    with pytest.raises(CallersError):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    """
    The message names the file.
    """
    with pytest.raises(CallersError, match="none"):
        callers_of(tmp_path / "none.toml")
