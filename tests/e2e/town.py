"""
A made-up town: what its shop has set, who works there, and a file of its till.
"""

from __future__ import annotations

from pathlib import Path


DEFINITIONS = """
[loyalty]
currency = "EUR"
zone = "UTC"
enrol = "on-first-purchase"
expires_after_months = 12
shortfall = "debt"

[[loyalty.awards]]
points = 1
per_minor = 100
rounding = "line"

[lifecycle]
presets = ["efremova"]
"""

STAFF = """
[[units]]
id = "north"

[[units]]
id = "south"

[[employees]]
id = "marta"
unit = "north"
name = "Marta"

[[employees]]
id = "nora"
unit = "south"
name = "Nora"
"""

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

[amounts]
currency = "EUR"
"""

HEAD = "receipt,customer,article,pieces,price,date\n"

SALES = (
    HEAD
    + """r1,c1,shirt,2,19.90,2026-01-02
r1,c1,belt,1,9.95,2026-01-02
r2,c2,shirt,1,19.90,2026-01-03
r3,c1,shirt,1,19.90,2026-02-02
b1,c1,shirt,-1,19.90,2026-02-03
b2,c2,hat,-1,30.00,2026-02-04
"""
)


def written(folder: Path, name: str, text: str) -> Path:
    """A file of this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def many_sales(clients: int, each: int) -> str:
    """A longer file: so many clients, each with so many receipts, a day apart."""
    rows = [
        f"r{client}-{number},c{client},shirt,1,{number + 1}.00,2026-01-{number + 1:02}"
        for number in range(each)
        for client in range(clients)
    ]
    return HEAD + "\n".join(rows) + "\n"
