"""
Entries: what rows of a file come to, ready to be sent.
"""

from __future__ import annotations

import abc

from collections.abc import Mapping

import attrs

from clientela.adapters.imports.cells import Moment
from clientela.adapters.imports.mapping import Kind
from clientela.domain.facts import BusinessKey, Line
from clientela.domain.purchase.matching import Wanted


@attrs.frozen(kw_only=True)
class Entry(abc.ABC):
    """
    One thing that a file tells of.

    Attributes:
        lines: The lines of the file it was made of, in order, one or more.

        client: Who: what the source calls the client, or the client's id here.

        when: When. None where the file does not say.
    """

    lines: tuple[int, ...]
    client: str = attrs.field(repr=False)
    when: Moment | None

    @property
    @abc.abstractmethod
    def kind(self) -> Kind:
        """What it is."""


@attrs.frozen(kw_only=True)
class ClientEntry(Entry):
    """
    A client.

    Attributes:
        details: Fields of a client by name; those without a value are left out.

        identifiers: Kind, text and whether it is shared.
    """

    details: Mapping[str, str] = attrs.field(repr=False)
    identifiers: tuple[tuple[str, str, bool], ...] = attrs.field(repr=False)

    @property
    def kind(self) -> Kind:
        """A client."""
        return Kind.CLIENTS


@attrs.frozen(kw_only=True)
class PurchaseEntry(Entry):
    """
    A purchase.

    Attributes:
        key: Its identity.

        bought: Its lines.

        unit: Where; empty for not told.

        seller: By whom; empty for not told.
    """

    key: BusinessKey
    bought: tuple[Line, ...]
    unit: str = ""
    seller: str = ""

    @property
    def kind(self) -> Kind:
        """A purchase."""
        return Kind.PURCHASES


@attrs.frozen(kw_only=True)
class ReturnEntry(Entry):
    """
    A return.

    Attributes:
        key: Its identity.

        currency: Of all refunds.

        wanted: What came back.

        unit: Where; empty for not told.
    """

    key: BusinessKey
    currency: str
    wanted: tuple[Wanted, ...]
    unit: str = ""

    @property
    def kind(self) -> Kind:
        """A return."""
        return Kind.RETURNS


@attrs.frozen(kw_only=True)
class InteractionEntry(Entry):
    """
    An interaction.

    Attributes:
        key: Its identity.

        channel: Touchpoint.

        direction: `inbound` or `outbound`.

        purpose: What it was for.

        what: What it was, a code.

        employee: Who took part; empty for nobody told.

        note: Free text; empty for none.
    """

    key: BusinessKey
    channel: str
    direction: str
    purpose: str
    what: str
    employee: str = ""
    note: str = attrs.field(default="", repr=False)

    @property
    def kind(self) -> Kind:
        """An interaction."""
        return Kind.INTERACTIONS
