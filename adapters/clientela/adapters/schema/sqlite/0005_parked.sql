-- Messages that came in and could not be carried out, their bodies sealed.

CREATE TABLE parked (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    lane TEXT NOT NULL,
    mark TEXT NOT NULL,
    kind TEXT NOT NULL,
    headers TEXT NOT NULL,
    principal TEXT NOT NULL,
    reason TEXT NOT NULL,
    problem TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    tried_at INTEGER NOT NULL,
    tries INTEGER NOT NULL CHECK (tries >= 0),
    body BLOB NOT NULL,
    UNIQUE (lane, mark)
) STRICT;
CREATE INDEX parked_lanes ON parked (lane, number);
