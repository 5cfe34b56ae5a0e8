-- What changes of lab results are to be told to identity, which knows the apps that may
-- hear of it (package outbox): members, ids of results and times, and no values.
CREATE TABLE deliveries (
    number        INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they were written
    id            TEXT NOT NULL UNIQUE,
    kind          TEXT NOT NULL,
    destination   TEXT NOT NULL,
    order_key     TEXT NOT NULL, -- empty: in any order
    payload       BLOB NOT NULL,
    attempts      INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL, -- 0: not claimed
    settled_at    INTEGER NOT NULL, -- 0: on its way
    outcome       TEXT NOT NULL,
    failing_since INTEGER NOT NULL DEFAULT 0,
    failure       TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX deliveries_due ON deliveries (kind, due_at) WHERE settled_at = 0;
CREATE INDEX deliveries_by_destination ON deliveries (kind, destination, due_at, number) WHERE settled_at = 0;
CREATE INDEX deliveries_claimed ON deliveries (kind, destination, claimed_until) WHERE settled_at = 0 AND claimed_until > 0;
CREATE INDEX deliveries_by_order ON deliveries (kind, order_key, number) WHERE settled_at = 0 AND order_key <> '';
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at > 0;
