-- Read models: made of the journal, and made anew when they are thrown away.

CREATE TABLE read_models (
    model text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE read_rows (
    model text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (model, key)
);

-- Values are bytes, since a text takes no character 0.
CREATE TABLE read_terms (
    model text COLLATE "C" NOT NULL,
    field text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    key text COLLATE "C" NOT NULL,
    PRIMARY KEY (model, field, value, key)
);

CREATE INDEX read_terms_of ON read_terms (model, key);
