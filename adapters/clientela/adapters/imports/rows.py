"""
One row to the part it plays in an entry.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from clientela.adapters.imports import cells
from clientela.adapters.imports.cells import Moment
from clientela.adapters.imports.lines import Row, RowError, Table
from clientela.adapters.imports.mapping import CLIENT, SOURCE_ID, FileMapping, Kind
from clientela.domain.facts import BusinessKey, Line
from clientela.domain.ids import CODE_LENGTH_MAX, BusinessId, Code
from clientela.domain.money import Money
from clientela.domain.purchase.matching import Wanted


CELL_LENGTH_MAX = 4_096
"""Characters of a cell that means anything."""

DIGEST_LENGTH = 12
"""Characters of a file's digest in the source that names its rows."""


@attrs.frozen(kw_only=True)
class Part:
    """
    What one row adds to an entry.

    Attributes:
        line: The line of the file.

        client: Who.

        when: When; None where the file does not say.

        key: Identity of the entry; None for a client.

        texts: Fields that are text, by name; those without a value are left out.

        bought: The line of a purchase; None for anything else.

        came_back: The line of a return; None for anything else.

        currency: Of its amount; empty for none.

        identifiers: Of a client: kind, text and whether it is shared.
    """

    line: int
    client: str = attrs.field(repr=False)
    when: Moment | None
    key: BusinessKey | None
    texts: dict[str, str] = attrs.field(repr=False)
    bought: Line | None = None
    came_back: Wanted | None = None
    currency: str = ""
    identifiers: tuple[tuple[str, str, bool], ...] = attrs.field(default=(), repr=False)


class RowReader:
    """
    Reads rows as a mapping says.

    Args:
        mapping: What columns mean.

        table: The file, for its heads.

        digest: Of the file, hex.

    Raises:
        FileUnreadableError: a column is not there.
    """

    def __init__(self, mapping: FileMapping, table: Table, digest: str) -> None:
        self._mapping = mapping
        self._places = {field: table.index(c) for field, c in mapping.columns.items()}
        self._identifiers = [
            (kind, table.index(each.column), each.is_shared)
            for kind, each in mapping.identifiers.items()
        ]
        when = mapping.when
        self._when_place = table.index(when.column) if when and when.column is not None else None
        self._moment: Callable[[str], Moment] | None = cells.moment_reader(when) if when else None
        self._row_source = Code(f"file-{digest[:DIGEST_LENGTH]}")

    def part(self, row: Row) -> Part:
        """
        What *row* adds to an entry.

        Raises:
            RowError: it cannot be used; says of which field and what was expected.
        """
        mapping = self._mapping
        client = self._required(row, CLIENT)
        when = self._when(row)
        if mapping.kind is Kind.CLIENTS:
            return Part(
                line=row.line,
                client=client,
                when=when,
                key=None,
                texts=self._texts(row),
                identifiers=self._found_identifiers(row),
            )
        key = self._key(row)
        if mapping.kind is Kind.INTERACTIONS:
            texts = self._texts(row)
            for field in ("channel", "direction", "purpose", "kind"):
                self._required(row, field)
            return Part(line=row.line, client=client, when=when, key=key, texts=texts)
        return self._trade(row, client, when, key)

    def _trade(self, row: Row, client: str, when: Moment | None, key: BusinessKey) -> Part:
        mapping = self._mapping
        quantity = cells.whole("quantity", self._text(row, "quantity") or "1")
        is_back = mapping.kind is Kind.RETURNS or (mapping.has_returns and quantity < 0)
        if not quantity or (quantity < 0 and not is_back):
            raise RowError("QUANTITY", "quantity: above 0")
        currency = self._text(row, "currency") or mapping.amounts.currency
        amount = self._amount(row, abs(quantity), currency)
        part = Part(
            line=row.line,
            client=client,
            when=when,
            key=key,
            currency=currency,
            texts={name: self._text(row, name) for name in ("unit", "seller")},
        )
        if is_back:
            return attrs.evolve(part, came_back=self._came_back(row, abs(quantity), amount))
        if amount is None:
            raise RowError("REQUIRED", "net: an amount")
        return attrs.evolve(part, bought=self._bought(row, quantity, amount))

    def _bought(self, row: Row, quantity: int, net: Money) -> Line:
        if net.minor < 0:
            raise RowError("AMOUNT", "net: 0 or more")
        tax = self._text(row, "tax")
        amounts = self._mapping.amounts
        category = self._text(row, "category")
        return Line(
            line_id=Code(str(row.line)),
            sku=Code(self._required(row, "sku")),
            quantity=quantity,
            net=net,
            tax=cells.money("tax", cells.decimal("tax", tax, amounts), net.currency)
            if tax
            else None,
            category=Code(category) if category else None,
        )

    def _came_back(self, row: Row, quantity: int, refund: Money | None) -> Wanted:
        sku, purchase = self._text(row, "sku"), self._text(row, "purchase")
        line = self._text(row, "line")
        if not sku and not purchase:
            raise RowError("REQUIRED", "sku: what came back")
        source = Code(self._mapping.source)
        return Wanted(
            quantity=quantity,
            refund=None if refund is None else Money(abs(refund.minor), refund.currency),
            sku=Code(sku) if sku else None,
            purchase=BusinessKey(source, BusinessId(purchase)) if purchase else None,
            line_id=Code(line) if line else None,
        )

    def _amount(self, row: Row, quantity: int, currency: str) -> Money | None:
        """What the line comes to: told, or its price for each piece; None where nothing is."""
        amounts = self._mapping.amounts
        if net := self._text(row, "net"):
            return cells.money("net", cells.decimal("net", net, amounts), currency)
        if price := self._text(row, "price"):
            each = cells.decimal("price", price, amounts)
            return cells.money("price", each * quantity, currency)
        return None

    def _key(self, row: Row) -> BusinessKey:
        """The identity in its system where a column tells it, else file and line."""
        if not self._mapping.tells(SOURCE_ID):
            return BusinessKey(self._row_source, BusinessId(str(row.line)))
        return BusinessKey(Code(self._mapping.source), BusinessId(self._required(row, SOURCE_ID)))

    def _when(self, row: Row) -> Moment | None:
        when = self._mapping.when
        if when is None or self._moment is None:
            return None
        if self._when_place is None:
            return self._moment(when.constant)
        text = _cell(row, self._when_place)
        if not text:
            raise RowError("REQUIRED", "when: a moment")
        return self._moment(text)

    def _found_identifiers(self, row: Row) -> tuple[tuple[str, str, bool], ...]:
        found = ((k, _cell(row, place), shared) for k, place, shared in self._identifiers)
        return tuple(each for each in found if each[1])

    def _texts(self, row: Row) -> dict[str, str]:
        fields = (*self._mapping.columns, *self._mapping.constants)
        found = {field: self._text(row, field) for field in fields if field != CLIENT}
        return {field: text for field, text in found.items() if text}

    def _required(self, row: Row, field: str) -> str:
        text = self._text(row, field)
        if not text:
            raise RowError("REQUIRED", f"{field}: a value")
        return text

    def _text(self, row: Row, field: str) -> str:
        if field not in self._places:
            return self._mapping.constants.get(field, "")
        text = _cell(row, self._places[field])
        longest = CELL_LENGTH_MAX if field == "note" else CODE_LENGTH_MAX * 2
        if len(text) > longest:
            raise RowError("LENGTH", f"{field}: at most {longest} characters")
        meanings = self._mapping.values.get(field)
        if meanings is None or not text:
            return text
        if text not in meanings:
            raise RowError("VALUE", f"{field}: one of those that the mapping knows")
        return meanings[text]


def _cell(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""
