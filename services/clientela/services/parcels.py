"""
Parcels: bodies of parked messages, sealed like everything else that may hold personal values.

A parcel is sealed under the key of the client it is about, so that it is gone with them when they
are erased; where nobody of that id is registered, under a key of the company.
"""

from __future__ import annotations

import base64
import json

from collections.abc import Callable

from clientela.domain.ids import DEFINITIONS_JOURNAL, Code, EventId, JournalId
from clientela.domain.personal import TEXT_LENGTH_MAX, Personal, Sealed
from clientela.services.key_rows import KeyRow
from clientela.services.ports import JournalStore, Sessions
from clientela.services.rows import Append
from clientela.services.store_errors import PersonKeyConflictError


COMPANY = DEFINITIONS_JOURNAL
"""Whose key seals what is about nobody who is registered."""

ATTEMPTS_MAX = 12
"""How often a key is made because somebody else made one meanwhile."""


class Parcels:
    """
    Seals and opens bodies.

    Args:
        store: Where keys of persons are.

        sessions: Seal and open.

        made: Told of whoever was given a key.
    """

    def __init__(
        self, store: JournalStore, sessions: Sessions, made: Callable[[JournalId], None]
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._made = made

    async def owner(self, person: JournalId) -> JournalId | None:
        """
        Whose key seals what is about *person*; None if they were erased.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        row = await self._store.key_row(person)
        if row is not None:
            return None if row.is_erased else person
        return person if await self._store.read(person, 0, 1) else COMPANY

    async def sealed(self, id: str, owner: JournalId, body: bytes) -> bytes:  # noqa: A002
        """
        A body, sealed.

        Args:
            id: Of the parked message.

            owner: Whose key seals it.

            body: At most 256 KiB; it becomes about a half longer.

        Raises:
            StoreUnavailableError: the store cannot be reached.

            PersonKeyConflictError: the owner was erased meanwhile.
        """
        text = base64.b64encode(body).decode()
        for _ in range(ATTEMPTS_MAX):
            session = self._sessions.session({owner: await self._live_row(owner)})
            boxes = [
                session.seal(Personal(piece), owner, EventId(id), _field(index)).box
                for index, piece in enumerate(_pieces(text))
            ]
            if session.changes.made:
                try:
                    await self._store.append(Append(expected={}, keys=session.changes))
                except PersonKeyConflictError:
                    continue
                self._made(owner)
            return json.dumps({"owner": [owner.kind.value, owner.id], "boxes": boxes}).encode()
        raise PersonKeyConflictError(owner)

    async def opened(self, id: str, parcel: bytes) -> bytes | None:  # noqa: A002
        """
        The body in a parcel; None when its owner was erased.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        plain = json.loads(parcel)
        kind, owner_id = plain["owner"]
        owner = JournalId(type(COMPANY.kind)(kind), owner_id)
        session = self._sessions.session({owner: await self._store.key_row(owner)})
        pieces: list[str] = []
        for index, box in enumerate(plain["boxes"]):
            piece = session.open(Sealed(owner, EventId(id), _field(index), box))
            if piece is None:
                return None
            pieces.append(piece)
        return base64.b64decode("".join(pieces))

    async def _live_row(self, owner: JournalId) -> KeyRow | None:
        row = await self._store.key_row(owner)
        if row is not None and row.is_erased:
            raise PersonKeyConflictError(owner)
        return row


def _pieces(text: str) -> list[str]:
    return [text[at : at + TEXT_LENGTH_MAX] for at in range(0, len(text), TEXT_LENGTH_MAX)] or [""]


def _field(index: int) -> Code:
    return Code(f"body.{index}")
