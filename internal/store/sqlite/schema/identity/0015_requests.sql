-- What apps sent lately, in batches, for their developers; and how much by the hour.
CREATE TABLE request_batches (
    client_id     TEXT NOT NULL,
    claimed       INTEGER NOT NULL, -- 1: the requests proved nothing
    stored        INTEGER NOT NULL, -- entries stored of this client, up to the end of this batch
    first_request TEXT NOT NULL,
    at            INTEGER NOT NULL, -- of the newest
    entries       BLOB NOT NULL,
    PRIMARY KEY (client_id, claimed, stored, first_request)
);
CREATE INDEX request_batches_by_age ON request_batches (at);
CREATE TABLE request_hours (
    client_id TEXT NOT NULL,
    hour      INTEGER NOT NULL,
    answered  INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    refreshed INTEGER NOT NULL,
    PRIMARY KEY (client_id, hour)
);
CREATE INDEX request_hours_by_age ON request_hours (hour);
