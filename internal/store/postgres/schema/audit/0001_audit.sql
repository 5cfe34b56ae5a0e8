-- The chained record, one lane for each connection that writes, and the refusals
-- that are counted before they become a record.

CREATE TABLE audit_lanes (
    name text PRIMARY KEY
);

CREATE TABLE audit_records (
    lane       text NOT NULL,
    number     bigint NOT NULL,
    at         bigint NOT NULL,
    event      text NOT NULL,
    actor_kind text NOT NULL,
    actor_id   text NOT NULL,
    member_id  text NOT NULL,
    client_id  text NOT NULL,
    grant_id   text NOT NULL,
    request_id text NOT NULL,
    address    text NOT NULL,
    detail     text NOT NULL, -- JSON object
    previous   bytea NOT NULL,
    hash       bytea NOT NULL,
    PRIMARY KEY (lane, number)
);

CREATE TABLE audit_tallies (
    hour      bigint NOT NULL,
    event     text NOT NULL,
    subject   text NOT NULL,
    reason    text NOT NULL,
    member_id text NOT NULL,
    client_id text NOT NULL,
    grant_id  text NOT NULL,
    count     bigint NOT NULL,
    PRIMARY KEY (hour, event, subject, reason)
);
