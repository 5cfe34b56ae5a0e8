-- Messages on their way to the outside (package outbox): what acts bring about, in
-- their transactions. Logout tokens were the first, in a table of their own; those on
-- their way move here.
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
    outcome       TEXT NOT NULL
) STRICT;

CREATE INDEX deliveries_due ON deliveries (kind, due_at) WHERE settled_at = 0;
CREATE INDEX deliveries_by_destination ON deliveries (kind, destination, due_at, number) WHERE settled_at = 0;
CREATE INDEX deliveries_claimed ON deliveries (kind, destination, claimed_until) WHERE settled_at = 0 AND claimed_until > 0;
CREATE INDEX deliveries_by_order ON deliveries (kind, order_key, number) WHERE settled_at = 0 AND order_key <> '';
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at > 0;

INSERT INTO deliveries (id, kind, destination, order_key, payload, attempts, due_at, claimed_until, settled_at, outcome)
    SELECT 'logout/' || client_id || '/' || session_id, 'logout', client_id, '',
        CAST(json_object('member', member_id, 'session', session_id) AS BLOB), attempts, due_at, 0, 0, ''
    FROM logouts WHERE due_at > 0 ORDER BY ended_at;

DROP TABLE logouts;
