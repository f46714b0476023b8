"""
Finding the losers: what is committed of everything that waiting appends claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import attrs

from clientela.adapters.postgres.connections import Connection
from clientela.adapters.sqlite.values import journal_of, name_of
from clientela.domain.event import Key
from clientela.domain.ids import Blind, Code, JournalId
from clientela.services.rows import Append, Head
from clientela.services.store_errors import (
    ConflictError,
    KekRetiredError,
    KeyConflictError,
    PersonKeyConflictError,
    RequestConflictError,
    VersionConflictError,
)


@attrs.frozen
class Committed:
    """
    What is committed of some claims.

    Attributes:
        heads: Of journals that hold an event.

        held: Keys that somebody holds.

        answered: Requests that have their answer.

        persons: Persons that have a row, erased ones as well.

        kek_id: Under which key-encryption key new rows must be wrapped; empty for any.
    """

    heads: Mapping[JournalId, Head]
    held: AbstractSet[Key]
    answered: AbstractSet[Blind]
    persons: AbstractSet[JournalId]
    kek_id: str

    def refusal(self, append: Append) -> ConflictError | None:
        """Why *append* has lost, if it has: versions first, then keys, request, keys of persons."""
        for versions in (append.expected, append.facts):
            for journal_id, version in versions.items():
                head = self.heads.get(journal_id, Head())
                if head.version != version or append.hashes.get(journal_id, head.hash) != head.hash:
                    return VersionConflictError(journal_id)
        for key, _ in append.reserve:
            if key in self.held and key not in append.release:
                return KeyConflictError(key)
        if append.answer is not None and append.answer.request in self.answered:
            return RequestConflictError()
        for row in append.keys.made:
            if row.person in self.persons:
                return PersonKeyConflictError(row.person)
            if self.kek_id not in {"", row.kek_id}:
                return KekRetiredError(row.kek_id)
        return None

    def after(self, ends: Mapping[JournalId, Head]) -> Committed:
        """The same, with some journals at later ends."""
        return attrs.evolve(self, heads={**self.heads, **ends})


_COMMITTED = """
SELECT 'head' AS claim, journals.kind AS one, journals.id AS other, journals.version AS number,
    journals.hash AS hash
FROM unnest($1::text[], $2::text[]) AS new (kind, id)
JOIN journals ON journals.kind = new.kind AND journals.id = new.id
UNION ALL
SELECT 'held', keys.scope, keys.value, 0, ''
FROM unnest($3::text[], $4::text[]) AS new (scope, value)
JOIN keys ON keys.scope = new.scope AND keys.value = new.value
UNION ALL
SELECT 'answered', answers.request, '', 0, ''
FROM unnest($5::text[]) AS new (request)
JOIN answers ON answers.request = new.request
UNION ALL
SELECT 'persons', key_rows.kind, key_rows.id, 0, ''
FROM unnest($6::text[], $7::text[]) AS new (kind, id)
JOIN key_rows ON key_rows.kind = new.kind AND key_rows.id = new.id
UNION ALL
SELECT 'fence', kek_id, '', 0, '' FROM key_fence
"""


async def committed(connection: Connection, appends: Iterable[Append]) -> Committed:
    """What is committed of everything that *appends* claim."""
    taken = tuple(appends)
    journals = {j for a in taken for versions in (a.expected, a.facts) for j in versions}
    keys = {(key.scope, key.value) for a in taken for key, _ in a.reserve}
    requests = {a.answer.request for a in taken if a.answer is not None}
    persons = {row.person for a in taken for row in a.keys.made}
    rows = await connection.fetch(
        _COMMITTED,
        *_columns(map(name_of, journals), 2),
        *_columns(keys, 2),
        list(requests),
        *_columns(map(name_of, persons), 2),
    )
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row["claim"], []).append(row)
    return Committed(
        heads={
            journal_of(r["one"], r["other"]): Head(r["number"], r["hash"])
            for r in found.get("head", ())
        },
        held={Key(Code(r["one"]), Blind(r["other"])) for r in found.get("held", ())},
        answered={Blind(r["one"]) for r in found.get("answered", ())},
        persons={journal_of(r["one"], r["other"]) for r in found.get("persons", ())},
        kek_id="".join(r["one"] for r in found.get("fence", ())),
    )


def _columns(rows: Iterable[tuple[str, ...]], count: int) -> list[tuple[str, ...]]:
    """*rows* turned into *count* columns, also if there are none."""
    return list(zip(*rows, strict=True)) or [()] * count
