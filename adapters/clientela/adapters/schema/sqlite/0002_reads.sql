-- Read models: made of the journal, and made anew when they are thrown away.

CREATE TABLE read_models (
    model TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE read_rows (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (model, key)
) STRICT;

-- Terms that are codes: they may leave copies behind.
CREATE TABLE read_terms (
    model TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (model, field, value, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX read_terms_of ON read_terms (model, key);

-- Terms that are keyed hashes: as for reserved keys, rows are only ever added at the end, one that
-- is given back is blanked where it stands, and the index holds 20 bits of a hash.
CREATE TABLE read_hashes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL,
    released INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1)),
    read_row INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;

CREATE INDEX read_hashes_held ON read_hashes (bucket) WHERE released = 0;

CREATE INDEX read_hashes_of ON read_hashes (read_row) WHERE released = 0;
