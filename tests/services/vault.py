"""
Sessions over tokens: no keys, for tests that are not about keys.
"""

from __future__ import annotations

from collections.abc import Mapping

from clientela.domain.ids import Blind, JournalId
from clientela.domain.personal import TokenVault
from clientela.services.key_rows import KeyChanges, KeyRow


class OpenSession(TokenVault):
    """A session that makes and destroys no keys."""

    changes = KeyChanges()


class OpenSessions:
    """Hands out one and the same session."""

    def __init__(self) -> None:
        self._session = OpenSession(b"tests")

    def session(self, rows: Mapping[JournalId, KeyRow | None]) -> OpenSession:
        return self._session

    def blind(self, scope: str, normal: str) -> Blind:
        return self._session.blind(scope, normal)

    def forget(self, person: JournalId) -> None:
        self._session.forget(person)
