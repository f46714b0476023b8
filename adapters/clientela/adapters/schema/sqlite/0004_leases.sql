-- Who alone does a piece of background work, and until when.

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
