-- Messages that came in and could not be carried out, their bodies sealed.

CREATE TABLE parked (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    lane text COLLATE "C" NOT NULL,
    mark text NOT NULL,
    kind text NOT NULL,
    headers text NOT NULL,
    principal text NOT NULL,
    reason text NOT NULL,
    problem text NOT NULL,
    parked_at bigint NOT NULL,
    tried_at bigint NOT NULL,
    tries bigint NOT NULL CHECK (tries >= 0),
    body bytea NOT NULL,
    UNIQUE (lane, mark)
);
CREATE INDEX parked_lanes ON parked (lane, number);
