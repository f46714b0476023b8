-- Everything one append leaves. Moments are microseconds since 1970-01-01T00:00Z.
-- A statement ends with a semicolon at the end of a line; no other line does.

CREATE TABLE migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE journals (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    hash TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT under the one writer is the order of commits, without gaps.
CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    event_id TEXT NOT NULL UNIQUE,
    append_id TEXT NOT NULL,
    name TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (kind, id, version),
    FOREIGN KEY (kind, id) REFERENCES journals (kind, id)
) STRICT;

-- Reserved keys. What has to vanish without a trace must never move: when SQLite splits or joins
-- pages it leaves copies of the rows it moves in the unused part of pages, and secure_delete does
-- not reach them (seen in 22 of 5,000 rows deleted). So rows are only ever added at the end, a
-- released one is overwritten in place by the same number of characters, and the index, whose
-- entries do move, holds 20 bits of a hash: enough to find a row, too little to tell whose it was.
CREATE TABLE keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL,
    released INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1)),
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL
) STRICT;

CREATE INDEX keys_held ON keys (bucket) WHERE released = 0;

CREATE TABLE answers (
    request TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_at ON answers (at);

CREATE TABLE due (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX due_at ON due (at, kind, id);

CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (kind, id)
) STRICT;

-- Wrapped keys of persons; as for reserved keys, rows never move and change in place only.
CREATE TABLE key_rows (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    erased INTEGER NOT NULL CHECK (erased IN (0, 1)),
    kek_id TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    UNIQUE (kind, id)
) STRICT;

-- The one row says under which key-encryption key new rows must be wrapped.
CREATE TABLE key_fence (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    kek_id TEXT NOT NULL
) STRICT;

-- Whose keys were destroyed, and in which scopes keys were released with them.
CREATE TABLE erasures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    scopes TEXT NOT NULL
) STRICT;

CREATE TABLE notes (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    request TEXT NOT NULL
) STRICT;
