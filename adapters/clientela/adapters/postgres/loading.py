"""
What a command needs to know, in one statement, which sees one moment.

Its rows are of several kinds in the columns of an event; only what is asked for is in it. Those of
ends of journals tell how often keys were changed as well.
"""

from __future__ import annotations

import functools

from collections import defaultdict
from typing import Any

from clientela.adapters.postgres.connections import Connection
from clientela.adapters.postgres.reading import UNTOLD, holder_of, revealed
from clientela.adapters.postgres.statement import KEY_CHANGES
from clientela.adapters.sqlite.masks import Masks
from clientela.adapters.sqlite.values import event_of, journal_of, moment, name_of
from clientela.domain.event import Key
from clientela.domain.ids import Blind, Code, JournalId
from clientela.services.key_rows import KeyRow
from clientela.services.rows import Head, Loaded, Snapshot, StoredEvent, Wanted


UNKNOWN = -1
"""Version of a journal of which nothing is known, so that a snapshot may help."""

_JOURNALS = "unnest($1::text[], $2::text[], $3::bigint[]) AS wanted (kind, id, known)"

_HEADS = f"""
SELECT 'head' AS part, wanted.kind, wanted.id, coalesce(journals.version, 0) AS version,
    '' AS event_id, '' AS append_id, '' AS name, 0::bigint AS occurred_at,
    coalesce(journals.recorded_at, 0) AS recorded_at, masks.mask AS body,
    coalesce(journals.hash, '') AS hash, {KEY_CHANGES} AS position
FROM {_JOURNALS}
LEFT JOIN journals ON journals.kind = wanted.kind AND journals.id = wanted.id
LEFT JOIN masks ON masks.kind = wanted.kind AND masks.id = wanted.id
"""  # noqa: S608  Made of constants.

_TAILS = f"""
SELECT 'tail', events.kind, events.id, events.version, events.event_id, events.append_id,
    events.name, events.occurred_at, events.recorded_at, events.body, events.hash, events.position
FROM {_JOURNALS}
JOIN events
    ON events.kind = wanted.kind AND events.id = wanted.id AND events.version > wanted.known
"""  # noqa: S608  Made of constants.

_TAILS_AFTER_SNAPSHOTS = f"""
SELECT 'tail', events.kind, events.id, events.version, events.event_id, events.append_id,
    events.name, events.occurred_at, events.recorded_at, events.body, events.hash, events.position
FROM {_JOURNALS}
LEFT JOIN snapshots
    ON wanted.known < 0 AND snapshots.kind = wanted.kind AND snapshots.id = wanted.id
    AND snapshots.fingerprint = {{fingerprint}}
JOIN events
    ON events.kind = wanted.kind AND events.id = wanted.id
    AND events.version > greatest(wanted.known, snapshots.version)
"""  # noqa: S608  Made of constants.

_SNAPSHOTS = f"""
SELECT 'snapshot', snapshots.kind, snapshots.id, snapshots.version, '', '', '', 0, 0,
    snapshots.body, '', 0
FROM {_JOURNALS}
JOIN snapshots
    ON wanted.known < 0 AND snapshots.kind = wanted.kind AND snapshots.id = wanted.id
    AND snapshots.fingerprint = {{fingerprint}}
"""  # noqa: S608  Made of constants.

_HOLDERS = """
SELECT 'holder', keys.kind, keys.id, keys.version, keys.scope, keys.value, keys.fingerprint, 0, 0,
    NULL, '', 0
FROM unnest({scopes}::text[], {values}::text[]) AS held (scope, value)
JOIN keys ON keys.scope = held.scope AND keys.value = held.value
"""

_ANSWER = """
SELECT 'answer', '', '', 0, '', '', answers.body, answers.at, 0, NULL, '', 0
FROM answers WHERE answers.request = {request}
"""

_KEY_ROWS = """
SELECT 'key_row', key_rows.kind, key_rows.id, 0, '', '', key_rows.kek_id, 0, 0, key_rows.wrapped,
    '', 0
FROM unnest({kinds}::text[], {ids}::text[]) AS person (kind, id)
JOIN key_rows ON key_rows.kind = person.kind AND key_rows.id = person.id
"""


@functools.cache
def _statement(*, snapshots: bool, keys: bool, answer: bool, persons: bool) -> str:
    """The SQL that asks for these; the arguments of what is not asked for are left out."""
    given = 3
    parts = [_HEADS]

    def argument() -> str:
        nonlocal given
        given += 1
        return f"${given}"

    if snapshots:
        fingerprint = f"{argument()}::text"
        parts.append(_TAILS_AFTER_SNAPSHOTS.format(fingerprint=fingerprint))
        parts.append(_SNAPSHOTS.format(fingerprint=fingerprint))
    else:
        parts.append(_TAILS)
    if keys:
        parts.append(_HOLDERS.format(scopes=argument(), values=argument()))
    if answer:
        parts.append(_ANSWER.format(request=argument()))
    if persons:
        parts.append(_KEY_ROWS.format(kinds=argument(), ids=argument()))
    return "UNION ALL".join(parts)


async def load(connection: Connection, wanted: Wanted, masks: Masks) -> tuple[Loaded, int]:
    """
    What is committed of *wanted*, all of one moment.

    Args:
        connection: That reads.

        wanted: What for.

        masks: Learn the masks of the journals.

    Returns:
        What is committed, and how often keys were changed; -1 if that was not told.
    """
    known = [wanted.known.get(j, UNKNOWN) for j in wanted.journals]
    arguments: list[Any] = [*_columns(wanted.journals), known]
    has_snapshots = UNKNOWN in known
    if has_snapshots:
        arguments.append(wanted.fingerprint)
    if wanted.keys:
        arguments += [[key.scope for key in wanted.keys], [key.value for key in wanted.keys]]
    if wanted.request is not None:
        arguments.append(wanted.request)
    if wanted.persons:
        arguments += _columns(wanted.persons)
    sql = _statement(
        snapshots=has_snapshots,
        keys=bool(wanted.keys),
        answer=wanted.request is not None,
        persons=bool(wanted.persons),
    )
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in await connection.fetch(sql, *arguments):
        found[row["part"]].append(row)
    changes = found["head"][0]["position"] if found["head"] else UNTOLD
    return await _loaded(connection, wanted, found, masks), changes


async def _loaded(
    connection: Connection, wanted: Wanted, found: defaultdict[str, list[Any]], masks: Masks
) -> Loaded:
    heads: dict[JournalId, Head] = {}
    for row in found["head"]:
        journal_id = journal_of(row["kind"], row["id"])
        masks.learn((row["kind"], row["id"]), row["body"])
        version = row["version"]
        at = moment(row["recorded_at"]) if version else None
        heads[journal_id] = Head(version, row["hash"], at)
    tails: dict[JournalId, list[StoredEvent]] = {j: [] for j in wanted.journals}
    for row in found["tail"]:
        event = event_of(tuple(row)[1:])
        tails[event.journal].append(event)
    for tail in tails.values():
        tail.sort(key=lambda event: event.version)
    answer = None
    for row in found["answer"]:
        request = Blind(wanted.request or "")
        answer = await revealed(connection, request, row["occurred_at"], row["name"])
    return Loaded(
        heads=heads,
        tails=tails,
        snapshots={s.journal: s for s in map(_snapshot_for(wanted), found["snapshot"])},
        holders={
            Key(Code(r["event_id"]), Blind(r["append_id"])): holder_of(
                r["kind"], r["id"], r["version"], r["name"]
            )
            for r in found["holder"]
        },
        answer=answer,
        key_rows={**dict.fromkeys(wanted.persons), **dict(map(_key_row, found["key_row"]))},
    )


def _snapshot_for(wanted: Wanted) -> Any:
    def snapshot(row: Any) -> Snapshot:
        return Snapshot(
            journal=journal_of(row["kind"], row["id"]),
            version=row["version"],
            fingerprint=wanted.fingerprint,
            body=row["body"],
        )

    return snapshot


def _key_row(row: Any) -> tuple[JournalId, KeyRow]:
    person = journal_of(row["kind"], row["id"])
    return person, KeyRow(person, row["name"], row["body"])


def _columns(journals: tuple[JournalId, ...]) -> list[list[str]]:
    names = [name_of(journal_id) for journal_id in journals]
    return [[kind for kind, _ in names], [id_ for _, id_ in names]]
