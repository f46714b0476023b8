"""
Entries of a till's file, made up.
"""

from __future__ import annotations

from datetime import UTC, datetime

from clientela.adapters.imports.cells import Moment
from clientela.adapters.imports.entries import InteractionEntry
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, Code


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def call(client: str, line: int) -> InteractionEntry:
    """A call of a client, told on this line."""
    return InteractionEntry(
        lines=(line,),
        client=client,
        when=Moment(AT, AT.date()),
        key=BusinessKey(Code("till"), BusinessId(str(line))),
        channel="phone",
        direction="inbound",
        purpose="enquiry",
        what="call",
    )
