-- Everything one append leaves. Moments are microseconds since 1970-01-01T00:00Z.
-- A statement ends with a semicolon at the end of a line; no other line does.
-- The collation "C" orders texts as Python does, whatever the database was made with.

CREATE TABLE migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at bigint NOT NULL
);

-- The one row says how positions are given, see clientela.adapters.postgres.positions: the last
-- ones by count, or by how much those made of transaction ids are ahead of them.
CREATE TABLE positions (
    one integer PRIMARY KEY CHECK (one = 1),
    strategy text NOT NULL,
    last bigint NOT NULL,
    audited bigint NOT NULL,
    ahead bigint NOT NULL
) WITH (fillfactor = 10);

-- A row of version 0 holds nothing: it is there to be locked by those who rest on that.
CREATE TABLE journals (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version >= 0),
    hash text NOT NULL,
    recorded_at bigint NOT NULL,
    PRIMARY KEY (kind, id)
) WITH (fillfactor = 70);

CREATE TABLE events (
    position bigint PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    event_id text COLLATE "C" NOT NULL UNIQUE,
    append_id text NOT NULL,
    name text NOT NULL,
    occurred_at bigint NOT NULL,
    recorded_at bigint NOT NULL,
    body bytea NOT NULL,
    hash text NOT NULL,
    UNIQUE (kind, id, version)
);

-- Reserved keys.
CREATE TABLE keys (
    scope text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    fingerprint text NOT NULL,
    PRIMARY KEY (scope, value)
);

CREATE INDEX keys_of ON keys (kind, id);

-- The fingerprint in a body is masked by the masks of the journals that the answer concerns.
CREATE TABLE answers (
    request text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL,
    body text NOT NULL
);

CREATE INDEX answers_at ON answers (at, request);

CREATE TABLE masks (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    mask bytea NOT NULL CHECK (length(mask) = 32),
    PRIMARY KEY (kind, id)
);

CREATE TABLE due (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE INDEX due_at ON due (at, kind, id);

CREATE TABLE snapshots (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    fingerprint text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (kind, id)
);

-- Wrapped keys of persons; an erased one stays, without its key.
CREATE TABLE key_rows (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    kek_id text NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE INDEX key_rows_under ON key_rows (kek_id, kind, id);

-- The one row says under which key-encryption key new rows must be wrapped; empty for any.
CREATE TABLE key_fence (
    one integer PRIMARY KEY CHECK (one = 1),
    kek_id text NOT NULL
);

INSERT INTO key_fence (one, kek_id) VALUES (1, '');

-- Whose keys were destroyed, and in which scopes keys were released with them.
CREATE TABLE erasures (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    scopes text NOT NULL,
    PRIMARY KEY (kind, id, scopes)
);

CREATE TABLE notes (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE audit (
    number bigint PRIMARY KEY,
    at bigint NOT NULL,
    actor text NOT NULL,
    method text NOT NULL,
    target text NOT NULL,
    decision text NOT NULL,
    reason text NOT NULL,
    request text NOT NULL
);
