-- Who alone does a piece of background work, and until when.

CREATE TABLE leases (
    name text COLLATE "C" PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    until bigint NOT NULL
);
