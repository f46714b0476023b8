-- How often keys that another process may have read were changed. The one row is counted up in the
-- transaction of the change and read with whatever else is asked: where the count is the same, every
-- key read since is as it was, and none has to be read again.

CREATE TABLE key_changes (
    one integer PRIMARY KEY CHECK (one = 1),
    count bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO key_changes (one, count) VALUES (1, 0);
