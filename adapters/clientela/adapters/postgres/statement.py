"""
One group of appends as one statement: parts that change rows, each from arrays of its own.

    WITH here AS (where positions begin), moved AS (UPDATE ...), written AS (INSERT ...), ...
    SELECT base, prior, how often keys were changed, 1 / (all claims hold)::int FROM here

A part that is a claim tells how many rows it found as they have to be. Is one missing, the division
fails and with it all of the statement; the same does a row that a constraint refuses.
"""

from __future__ import annotations

import functools

from collections.abc import Mapping

import attrs

from clientela.adapters.postgres.positions import Strategy


@attrs.frozen
class Part:
    """
    One kind of change.

    Attributes:
        columns: Names and types of what it is made from.

        steps: SQL of each step by name; `{new}` stands for the arrays as rows named `new`, beside
            which `here` must be joined, so that positions are taken before anything is locked.

        is_claim: Whether as many rows must be found, by all steps together, as are given.
    """

    columns: Mapping[str, str]
    steps: Mapping[str, str]
    is_claim: bool = False


_NAME = {"kind": "text", "id": "text"}
_END = {"version": "bigint", "hash": "text", "recorded_at": "bigint"}

PARTS: Mapping[str, Part] = {
    "moved": Part(
        {**_NAME, "before": "bigint", "before_hash": "text", **_END},
        {
            "moved": """
    UPDATE journals
    SET version = new.version, hash = new.hash, recorded_at = new.recorded_at
    FROM here, {new}
    WHERE journals.kind = new.kind AND journals.id = new.id AND journals.version = new.before
        AND new.before_hash IN ('', journals.hash)
    RETURNING 1"""
        },
        is_claim=True,
    ),
    "begun": Part(
        {**_NAME, **_END},
        {
            "begun": """
    INSERT INTO journals (kind, id, version, hash, recorded_at)
    SELECT new.kind, new.id, new.version, new.hash, new.recorded_at FROM here, {new}
    ON CONFLICT (kind, id) DO UPDATE SET
        version = excluded.version, hash = excluded.hash, recorded_at = excluded.recorded_at
    WHERE journals.version = 0
    RETURNING 1"""
        },
        is_claim=True,
    ),
    "stayed": Part(
        {**_NAME, "before": "bigint", "before_hash": "text"},
        {
            "stayed": """
    SELECT 1
    FROM here, {new}
    JOIN journals
        ON journals.kind = new.kind AND journals.id = new.id AND journals.version = new.before
        AND new.before_hash IN ('', journals.hash)
    FOR SHARE OF journals"""
        },
        is_claim=True,
    ),
    # One of the two steps finds it; what was there is locked, what was not cannot come meanwhile.
    "absent": Part(
        _NAME,
        {
            "still_absent": """
    SELECT 1
    FROM here, {new}
    JOIN journals ON journals.kind = new.kind AND journals.id = new.id AND journals.version = 0
    FOR SHARE OF journals""",
            "kept_absent": """
    INSERT INTO journals (kind, id, version, hash, recorded_at)
    SELECT new.kind, new.id, 0, '', 0 FROM here, {new}
    ON CONFLICT (kind, id) DO NOTHING
    RETURNING 1""",
        },
        is_claim=True,
    ),
    "fence": Part(
        {"kek_id": "text"},
        {
            "fenced": """
    SELECT 1
    FROM here, {new}
    JOIN key_fence ON key_fence.kek_id IN ('', new.kek_id)
    FOR SHARE OF key_fence"""
        },
        is_claim=True,
    ),
    "made_keys": Part(
        {**_NAME, "kek_id": "text", "wrapped": "bytea"},
        {
            "made_keys": """
    INSERT INTO key_rows (kind, id, kek_id, wrapped)
    SELECT new.kind, new.id, new.kek_id, new.wrapped FROM here, {new}"""
        },
    ),
    "released": Part(
        {"scope": "text", "value": "text"},
        {
            "released": """
    DELETE FROM keys USING here, {new}
    WHERE keys.scope = new.scope AND keys.value = new.value"""
        },
    ),
    "reserved": Part(
        {"scope": "text", "value": "text", **_NAME, "version": "bigint", "fingerprint": "text"},
        {
            "reserved": """
    INSERT INTO keys (scope, value, kind, id, version, fingerprint)
    SELECT new.scope, new.value, new.kind, new.id, new.version, new.fingerprint FROM here, {new}"""
        },
    ),
    # Released and reserved by the same append.
    "replaced": Part(
        {"scope": "text", "value": "text", **_NAME, "version": "bigint", "fingerprint": "text"},
        {
            "replaced": """
    INSERT INTO keys (scope, value, kind, id, version, fingerprint)
    SELECT new.scope, new.value, new.kind, new.id, new.version, new.fingerprint FROM here, {new}
    ON CONFLICT (scope, value) DO UPDATE SET
        kind = excluded.kind, id = excluded.id, version = excluded.version,
        fingerprint = excluded.fingerprint"""
        },
    ),
    "made_masks": Part(
        {**_NAME, "mask": "bytea"},
        {
            "made_masks": """
    INSERT INTO masks (kind, id, mask) SELECT new.kind, new.id, new.mask FROM here, {new}"""
        },
    ),
    "answered": Part(
        {"request": "text", "at": "bigint", "body": "text"},
        {
            "answered": """
    INSERT INTO answers (request, at, body) SELECT new.request, new.at, new.body FROM here, {new}"""
        },
    ),
    "written": Part(
        {
            "number": "bigint",
            **_NAME,
            "version": "bigint",
            "event_id": "text",
            "append_id": "text",
            "name": "text",
            "occurred_at": "bigint",
            "recorded_at": "bigint",
            "body": "bytea",
            "hash": "text",
        },
        {
            "written": """
    INSERT INTO events (
        position, kind, id, version, event_id, append_id, name, occurred_at, recorded_at, body, hash
    )
    SELECT here.base + new.number, new.kind, new.id, new.version, new.event_id, new.append_id,
        new.name, new.occurred_at, new.recorded_at, new.body, new.hash
    FROM here, {new}"""
        },
    ),
    "due_at": Part(
        {**_NAME, "at": "bigint"},
        {
            "due_at": """
    INSERT INTO due (kind, id, at) SELECT new.kind, new.id, new.at FROM here, {new}
    ON CONFLICT (kind, id) DO UPDATE SET at = excluded.at WHERE due.at <> excluded.at"""
        },
    ),
    "due_never": Part(
        _NAME,
        {
            "due_never": """
    DELETE FROM due USING here, {new} WHERE due.kind = new.kind AND due.id = new.id"""
        },
    ),
    "snapped": Part(
        {**_NAME, "version": "bigint", "fingerprint": "text", "body": "bytea"},
        {
            "snapped": """
    INSERT INTO snapshots (kind, id, version, fingerprint, body)
    SELECT new.kind, new.id, new.version, new.fingerprint, new.body FROM here, {new}
    ON CONFLICT (kind, id) DO UPDATE SET
        version = excluded.version, fingerprint = excluded.fingerprint, body = excluded.body"""
        },
    ),
    # Keys made for persons that others may have read without one.
    "counted": Part(
        {"changes": "bigint"},
        {
            "counted": """
    UPDATE key_changes SET count = key_changes.count + new.changes FROM here, {new}"""
        },
    ),
    "audited": Part(
        {
            "number": "bigint",
            "at": "bigint",
            "actor": "text",
            "method": "text",
            "target": "text",
            "decision": "text",
            "reason": "text",
            "request": "text",
        },
        {
            "audited": """
    INSERT INTO audit (number, at, actor, method, target, decision, reason, request)
    SELECT here.audit_base + new.number, new.at, new.actor, new.method, new.target, new.decision,
        new.reason, new.request
    FROM here, {new}"""
        },
    ),
}
"""What an append may change, in the order in which it is done as far as that matters."""

NUMBERED = frozenset({"written", "audited"})
"""Parts whose rows are given positions or numbers."""

_NOWHERE = "\n    SELECT 0::bigint AS base, 0::bigint AS audit_base"

KEY_CHANGES = "(SELECT count FROM key_changes)"
"""How often keys were changed that others may have read."""

_PRIOR = "(SELECT coalesce(max(position), 0) FROM events)"


@functools.cache
def statement(strategy: Strategy, names: tuple[str, ...], *, wants_prior: bool) -> str:
    """
    The SQL of a group that has the parts *names*.

    Its arguments: how many events and audit rows, if the strategy counts and there are any; how
    many claims, if there are any; then the columns of each part as arrays.

    Args:
        strategy: How positions are given.

        names: Keys of `PARTS`, in their order.

        wants_prior: Whether the last position before the group is asked for.
    """
    is_numbered = not NUMBERED.isdisjoint(names)
    given = 2 if is_numbered and strategy.counts else 0
    steps = [f"here AS MATERIALIZED ({strategy.begin if is_numbered else _NOWHERE}\n)"]
    claims = [step for name in names if PARTS[name].is_claim for step in PARTS[name].steps]
    is_so = "1"
    if claims:
        given += 1
        counts = " + ".join(f"(SELECT count(*) FROM {step})" for step in claims)  # noqa: S608  Own.
        is_so = f"1 / ({counts} = ${given}::bigint)::int"
    for name in names:
        new, given = _rows(PARTS[name], given)
        steps.extend(
            f"{step} AS ({sql.format(new=new)}\n)" for step, sql in PARTS[name].steps.items()
        )
    prior = _PRIOR if wants_prior else "0::bigint"
    told = f"base, {prior} AS prior, {KEY_CHANGES} AS key_changes, {is_so} AS is_so"
    return f"WITH {', '.join(steps)}\nSELECT {told} FROM here"


def _rows(part: Part, given: int) -> tuple[str, int]:
    """The arrays of a part as rows, and how many arguments are given with them."""
    types = enumerate(part.columns.values(), start=given + 1)
    arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in types)
    return f"unnest({arrays}) AS new ({', '.join(part.columns)})", given + len(part.columns)
