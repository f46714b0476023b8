"""
A till's file and what its columns mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clientela.adapters.imports.document import mapping_from
from clientela.adapters.imports.lines import BadRow
from clientela.adapters.imports.mapping import Kind
from clientela.adapters.imports.reading import Source


MAPPING = """
source = "till"
negative_quantity = "return"

[columns]
client = "customer"
id = "receipt"
sku = "article"
quantity = "pieces"
price = "price"

[when]
column = "date"
zone = "Europe/Prague"

[amounts]
currency = "EUR"
"""

HEAD = "receipt,customer,article,pieces,price,date\n"


def entries(
    folder: Path, text: str | bytes, mapping: str = MAPPING, kind: Kind = Kind.PURCHASES
) -> list[Any]:
    """What a file of this text comes to."""
    path = folder / "till.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(Source.of(path, mapping_from(mapping, kind)).entries())


def refused(found: list[Any]) -> list[tuple[int, str]]:
    """Line and reason of every row that cannot be used."""
    return [(each.line, each.error.reason) for each in found if isinstance(each, BadRow)]
