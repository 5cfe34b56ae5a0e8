-- What changes of lab results are to be told to identity, which knows the apps that may
-- hear of it (package outbox): members, ids of results and times, and no values.
CREATE TABLE deliveries (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order in which they were written
    id            text NOT NULL UNIQUE,
    kind          text NOT NULL,
    destination   text NOT NULL,
    order_key     text NOT NULL, -- empty: in any order
    payload       bytea NOT NULL,
    attempts      bigint NOT NULL,
    due_at        bigint NOT NULL,
    claimed_until bigint NOT NULL, -- 0: not claimed
    settled_at    bigint NOT NULL, -- 0: on its way
    outcome       text NOT NULL,
    failing_since bigint NOT NULL DEFAULT 0,
    failure       text NOT NULL DEFAULT ''
);

CREATE INDEX deliveries_due ON deliveries (kind, due_at) WHERE settled_at = 0;
CREATE INDEX deliveries_by_destination ON deliveries (kind, destination, due_at, number) WHERE settled_at = 0;
CREATE INDEX deliveries_claimed ON deliveries (kind, destination, claimed_until) WHERE settled_at = 0 AND claimed_until > 0;
CREATE INDEX deliveries_by_order ON deliveries (kind, order_key, number) WHERE settled_at = 0 AND order_key <> '';
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at > 0;
