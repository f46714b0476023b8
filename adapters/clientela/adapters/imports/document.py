"""
Mappings written in TOML.

    source = "cdnow"            the system: ids in the file are its ids
    clients = "source"          or "own": clients are named by their ids here
    negative_quantity = "return"    or "reject"
    window_rows = 1000          rows of one identity lie no further apart than this

    [file]
    format = "blanks"           cells parted by blanks; else "delimited"
    delimiter = ","
    quote = '"'                 empty for none
    header = false              columns then go by number, from 1
    encoding = "utf-8"

    [columns]
    client = 2
    quantity = 4
    net = 5                     of the whole line; or price, of a piece

    [constants]
    sku = "cd"

    [values.direction]          what cells stand for
    IN = "inbound"

    [identifiers]               of clients
    phone = "Phone"
    email = { column = "E-mail", shared = true }

    [when]
    column = 3                  or constant = "1997-01-01"
    format = "%Y%m%d"           or "iso"
    zone = "UTC"                IANA
    time = "12:00"              of a date alone

    [amounts]
    currency = "USD"
    decimal = "."
    thousands = ","

A document is refused whole, each problem at its place.
"""

from __future__ import annotations

import tomllib

from collections.abc import Iterator, Mapping
from datetime import time
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clientela.adapters.imports.mapping import (
    ISO,
    OPTIONAL,
    REQUIRED,
    WINDOW_ROWS,
    Amounts,
    Column,
    FileMapping,
    FileShape,
    IdentifierColumn,
    Kind,
    When,
)
from clientela.adapters.imports.tables import Reading
from clientela.domain.errors import DomainError
from clientela.domain.ids import CODE_LENGTH_MAX
from clientela.domain.money import Money


DOCUMENT_LENGTH_MAX = 100_000
"""Characters of a mapping."""

WINDOW_ROWS_MAX = 10_000


class MappingError(Exception):
    """
    A mapping cannot be used.

    Attributes:
        problems: What is wrong, by place, for instance `columns.client`.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        count = len(self.problems)
        super().__init__(f"the mapping has {count} problem{'s' if count > 1 else ''}")


def mapping_from(text: str, kind: Kind) -> FileMapping:
    """
    The mapping of a document.

    Args:
        text: TOML.

        kind: What the file it is for tells of.

    Raises:
        MappingError: anything is wrong with it.
    """
    if len(text) > DOCUMENT_LENGTH_MAX:
        raise MappingError({"": f"at most {DOCUMENT_LENGTH_MAX} characters"})
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError({"": f"not TOML: {error}"}) from None
    except RecursionError:
        raise MappingError({"": "nested too deep"}) from None
    reading = Reading(plain)
    mapping = _mapping(reading, kind)
    reading.check_known()
    _check_fields(reading, mapping)
    if reading.problems:
        raise MappingError(reading.problems)
    return mapping


def _mapping(reading: Reading, kind: Kind) -> FileMapping:
    source = reading.take("", "source", str, "")
    if not 1 <= len(source) <= CODE_LENGTH_MAX or ":" in source:
        reading.refuse("source", "expected the system the file comes from, without a colon")
    window = reading.take("", "window_rows", int, WINDOW_ROWS)
    if not 1 <= window <= WINDOW_ROWS_MAX:
        reading.refuse("window_rows", f"expected 1 to {WINDOW_ROWS_MAX}")
    return FileMapping(
        kind=kind,
        source=source,
        shape=_shape(reading),
        columns={key: reading.column("columns", key, v) for key, v in reading.items("columns")},
        constants=_texts(reading, "constants"),
        values=_values(reading),
        identifiers=dict(_identifiers(reading)),
        when=_when(reading) if reading.has("when") else None,
        amounts=_amounts(reading),
        is_own_client_id=_choice(reading, "clients", "source", "own") == "own",
        has_returns=_choice(reading, "negative_quantity", "reject", "return") == "return",
        window_rows=window,
    )


def _choice(reading: Reading, key: str, *choices: str) -> str:
    chosen = reading.take("", key, str, choices[0])
    if chosen not in choices:
        reading.refuse(key, f"expected one of {', '.join(choices)}")
    return chosen


def _shape(reading: Reading) -> FileShape:
    format_ = reading.take("file", "format", str, "delimited")
    if format_ not in {"delimited", "blanks"}:
        reading.refuse("file.format", "expected delimited or blanks")
    delimiter = reading.take("file", "delimiter", str, ",")
    quote = reading.take("file", "quote", str, '"')
    for name, value, least in (("delimiter", delimiter, 1), ("quote", quote, 0)):
        if not least <= len(value) <= 1 or value in {"\n", "\r"}:
            reading.refuse(f"file.{name}", "expected one character")
    encoding = reading.take("file", "encoding", str, "utf-8")
    try:
        "".encode(encoding)
    except (LookupError, ValueError):
        reading.refuse("file.encoding", "expected an encoding, such as utf-8 or cp1251")
    has_header = reading.take("file", "header", bool, True)  # noqa: FBT003  # a default
    parted_by = None if format_ == "blanks" else delimiter
    return FileShape(delimiter=parted_by, quote=quote, has_header=has_header, encoding=encoding)


def _texts(reading: Reading, table: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in reading.items(table):
        if isinstance(value, str) and value:
            found[key] = value
        else:
            reading.refuse(f"{table}.{key}", "expected a text")
    return found


def _values(reading: Reading) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for field, meanings in reading.items("values"):
        texts = cast("dict[str, Any]", meanings) if isinstance(meanings, dict) else {}
        if not texts or not all(isinstance(value, str) for value in texts.values()):
            reading.refuse(f"values.{field}", "expected a table of texts")
            continue
        found[field] = texts
    return found


def _identifiers(reading: Reading) -> Iterator[tuple[str, IdentifierColumn]]:
    for kind, value in reading.items("identifiers"):
        if not isinstance(value, dict):
            yield kind, IdentifierColumn(column=reading.column("identifiers", kind, value))
            continue
        plain = cast("dict[str, Any]", value)
        shared = plain.get("shared", False)
        if not isinstance(shared, bool) or not plain.keys() <= {"column", "shared"}:
            reading.refuse(f"identifiers.{kind}", "expected { column = ..., shared = true }")
        column = reading.column("identifiers", kind, plain.get("column"))
        yield kind, IdentifierColumn(column=column, is_shared=bool(shared))


def _when(reading: Reading) -> When:
    known = dict(reading.items("when"))
    constant = reading.take("when", "constant", str, "")
    column = reading.column("when", "column", known["column"]) if "column" in known else None
    if (column is None) is not bool(constant):
        reading.refuse("when", "expected a column, or a constant")
    for key in known.keys() - {"column", "constant", "format", "zone", "time"}:
        reading.refuse(f"when.{key}", "means nothing here")
    return When(
        column=column,
        constant=constant,
        format=reading.take("when", "format", str, ISO),
        zone=_zone(reading),
        time_of_day=_time(reading),
    )


def _zone(reading: Reading) -> ZoneInfo:
    name = reading.take("when", "zone", str, "UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reading.refuse("when.zone", "expected an IANA zone, such as Europe/London")
        return ZoneInfo("UTC")


def _time(reading: Reading) -> time:
    text = reading.take("when", "time", str, "12:00")
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        reading.refuse("when.time", "expected a time of day, such as 12:00")
        return time(12)
    return found


def _amounts(reading: Reading) -> Amounts:
    amounts = Amounts(
        currency=reading.take("amounts", "currency", str, ""),
        decimal=reading.take("amounts", "decimal", str, "."),
        thousands=reading.take("amounts", "thousands", str, ""),
    )
    if amounts.currency:
        try:
            Money(0, amounts.currency)
        except DomainError as error:
            reading.refuse("amounts.currency", str(error))
    if amounts.decimal not in {".", ","}:
        reading.refuse("amounts.decimal", "expected . or ,")
    if len(amounts.thousands) > 1 or amounts.thousands == amounts.decimal:
        reading.refuse("amounts.thousands", "expected one character, not the decimal point")
    return amounts


def _check_fields(reading: Reading, mapping: FileMapping) -> None:
    allowed = (*REQUIRED[mapping.kind], *OPTIONAL[mapping.kind])
    for table in ("columns", "constants", "values"):
        for field in getattr(mapping, table):
            if field not in allowed:
                known = ", ".join(sorted(allowed))
                reading.refuse(f"{table}.{field}", f"{mapping.kind} have no such field: {known}")
    for field in REQUIRED[mapping.kind]:
        if not mapping.tells(field):
            reading.refuse(f"columns.{field}", "required, as a column or a constant")
    for field in mapping.columns.keys() & mapping.constants.keys():
        reading.refuse(f"constants.{field}", "is a column already")
    if mapping.kind is not Kind.CLIENTS and mapping.when is None:
        reading.refuse("when", "required: when it happened")
    if mapping.kind is Kind.PURCHASES and not (mapping.tells("net") or mapping.tells("price")):
        reading.refuse("columns.net", "required: net of the line, or price of a piece")
    if mapping.tells("net") and mapping.tells("price"):
        reading.refuse("columns.price", "net is told already")
    if mapping.kind is Kind.RETURNS and not (mapping.tells("sku") or mapping.tells("purchase")):
        reading.refuse("columns.sku", "required, or the purchase it was bought in")
    is_priced = mapping.amounts.currency or mapping.tells("currency")
    if mapping.kind in {Kind.PURCHASES, Kind.RETURNS} and not is_priced:
        reading.refuse("amounts.currency", "required, here or as a column")
    if mapping.identifiers and mapping.kind is not Kind.CLIENTS:
        reading.refuse("identifiers", "for clients only")
    if mapping.has_returns and mapping.kind is not Kind.PURCHASES:
        reading.refuse("negative_quantity", "for purchases only")
    if not mapping.shape.has_header:
        _check_numbers(reading, mapping)


def _check_numbers(reading: Reading, mapping: FileMapping) -> None:
    places: dict[str, Column | None] = {f"columns.{k}": v for k, v in mapping.columns.items()}
    places |= {f"identifiers.{k}": v.column for k, v in mapping.identifiers.items()}
    places["when.column"] = mapping.when.column if mapping.when else None
    for place, column in places.items():
        if isinstance(column, str):
            reading.refuse(place, "expected a number: the file has no header")
