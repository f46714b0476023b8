from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from clientela.adapters.imports.document import MappingError, mapping_from
from clientela.adapters.imports.mapping import FileShape, IdentifierColumn, Kind, When
from tests.adapters.imports.till import MAPPING


WHOLE = """
source = "old-crm"
clients = "own"
window_rows = 50

[file]
delimiter = ";"
quote = ""
header = false
encoding = "cp1251"

[columns]
client = 1
name = 2

[constants]
language = "ru"

[values.name]
x = "X"

[identifiers]
phone = 3
email = { column = 4, shared = true }

[when]
column = 5
format = "%d.%m.%Y"
zone = "Europe/Moscow"
time = "09:30"
"""


def problems(text, kind=Kind.PURCHASES):
    """What is wrong with a mapping, by place."""
    with pytest.raises(MappingError) as caught:
        mapping_from(text, kind)
    return caught.value.problems


def test_everything_that_a_mapping_can_say_is_read():
    """
    Every key of a mapping means something.
    """
    mapping = mapping_from(WHOLE, Kind.CLIENTS)

    assert FileShape(delimiter=";", quote="", has_header=False, encoding="cp1251") == mapping.shape
    assert {"client": 1, "name": 2} == mapping.columns
    assert {"language": "ru"} == mapping.constants
    assert {"name": {"x": "X"}} == mapping.values
    assert {
        "phone": IdentifierColumn(column=3),
        "email": IdentifierColumn(column=4, is_shared=True),
    } == mapping.identifiers
    assert (
        When(column=5, format="%d.%m.%Y", zone=ZoneInfo("Europe/Moscow"), time_of_day=time(9, 30))
        == mapping.when
    )
    assert mapping.is_own_client_id
    assert 50 == mapping.window_rows


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('source = "till"', "", "source"),
        ('source = "till"', 'source = "a:b"', "source"),
        ('source = "till"', "source = 7", "source"),
        ('source = "till"', 'source = "till"\nclients = "mine"', "clients"),
        ('source = "till"', 'source = "till"\nwindow_rows = 0', "window_rows"),
        ('source = "till"', 'source = "till"\nwindow_rows = true', "window_rows"),
        ('source = "till"', 'source = "till"\nsurce = "x"', "surce"),
        ('client = "customer"', "", "columns.client"),
        ('client = "customer"', "client = 0", "columns.client"),
        ('client = "customer"', "client = true", "columns.client"),
        ('client = "customer"', 'client = "c"\nclinet = "d"', "columns.clinet"),
        ('price = "price"', "", "columns.net"),
        ('price = "price"', 'price = "p"\nnet = "n"', "columns.price"),
        ('zone = "Europe/Prague"', 'zone = "Europe/Atlantis"', "when.zone"),
        ('zone = "Europe/Prague"', 'zone = "../../etc/passwd"', "when.zone"),
        ('zone = "Europe/Prague"', 'time = "noon"', "when.time"),
        ('zone = "Europe/Prague"', 'zoen = "UTC"', "when.zoen"),
        ('zone = "Europe/Prague"', 'constant = "2026-01-01"', "when"),
        ('[when]\ncolumn = "date"\nzone = "Europe/Prague"', "", "when"),
        ('currency = "EUR"', "", "amounts.currency"),
        ('currency = "EUR"', 'currency = "euro"', "amounts.currency"),
        ('currency = "EUR"', 'currency = "EUR"\ndecimal = "x"', "amounts.decimal"),
        ('currency = "EUR"', 'currency = "EUR"\nthousands = "."', "amounts.thousands"),
        ('currency = "EUR"', 'currency = "EUR"\n[file]\ndelimiter = ";;"', "file.delimiter"),
        ('currency = "EUR"', 'currency = "EUR"\n[file]\nencoding = "utf-99"', "file.encoding"),
        ('currency = "EUR"', 'currency = "EUR"\n[file]\nencoding = "rot13"', "file.encoding"),
        ('currency = "EUR"', 'currency = "EUR"\n[file]\nheader = false', "columns.client"),
        ('currency = "EUR"', 'currency = "EUR"\n[identifiers]\nphone = "p"', "identifiers"),
        ('currency = "EUR"', 'currency = "EUR"\n[constants]\nsku = "cd"', "constants.sku"),
        ('currency = "EUR"', 'currency = "EUR"\n[constants]\nunit = 7', "constants.unit"),
        ('currency = "EUR"', 'currency = "EUR"\n[values]\nsku = "cd"', "values.sku"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(old, new, place):
    """
    A mapping is refused whole, each problem at its place.
    """
    assert old in MAPPING

    assert place in problems(MAPPING.replace(old, new))


def test_what_is_no_toml_is_refused():
    """
    A mapping that is no TOML at all is refused as a whole, also one that is nested without end.
    """
    assert [""] == list(problems("client = "))
    assert [""] == list(problems("a = " + "[" * 5_000))
    assert [""] == list(problems("#" * 100_001))


@pytest.mark.parametrize("name", ["cdnow", "online_retail"])
def test_mappings_that_ship_are_good(name, pytestconfig):
    """
    The examples are mappings of purchases.
    """
    path = pytestconfig.rootpath / "examples" / "mappings" / f"{name}.toml"

    assert Kind.PURCHASES == mapping_from(path.read_text("utf-8"), Kind.PURCHASES).kind
