-- What every role may read: the keys, what has been revoked, and who is alive.

-- One row exactly, or the whole transaction fails: what a compare-and-set is
-- wrapped in where its outcome is not waited for.
CREATE FUNCTION one_row(changed bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF changed <> 1 THEN
        RAISE EXCEPTION 'changed % rows', changed USING ERRCODE = 'LP001';
    END IF;
    RETURN true;
END $$;

CREATE TABLE keys (
    id         bigint PRIMARY KEY,
    purpose    text NOT NULL,
    algorithm  text NOT NULL, -- of signing keys
    sealed     bytea NOT NULL, -- under the master key
    created_at bigint NOT NULL,
    seals_from bigint NOT NULL
);

-- The number of the last change. Keys take their ids from it, so that the id of
-- one that was deleted is never given again.
CREATE TABLE key_changes (
    single integer PRIMARY KEY CHECK (single = 1),
    value bigint NOT NULL
);

INSERT INTO key_changes (single, value) VALUES (1, 0);

-- What every process must know before anybody is told that it is done: what was
-- revoked, and which client or key was changed. Numbers come from one row that is
-- locked to the commit: a sequence's could become visible out of order.
CREATE TABLE revocations (
    number     bigint PRIMARY KEY,
    kind       text NOT NULL,
    id         text NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX revocations_by_expiry ON revocations (expires_at);

-- The epoch is another after each restore.
CREATE TABLE revocation_counter (
    single integer PRIMARY KEY CHECK (single = 1),
    value bigint NOT NULL,
    epoch bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO revocation_counter (single, value, epoch) VALUES (1, 0, 1);

-- The processes that serve, by the database's clock.
CREATE TABLE leases (
    id         text PRIMARY KEY,
    applied    bigint NOT NULL, -- the highest revocation number that it knows of
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);
