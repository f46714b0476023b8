-- What it takes to forget a person without a trace.

-- Keys are found by whoever holds them.
CREATE INDEX keys_of ON keys (kind, id) WHERE released = 0;

-- Fingerprints of answers hold keyed hashes, and answers come and go, so that pages are split and
-- joined: they are kept masked, and the mask of a forgotten journal is overwritten where it stands.
CREATE TABLE masks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    mask BLOB NOT NULL CHECK (length(mask) = 32),
    UNIQUE (kind, id)
) STRICT;
