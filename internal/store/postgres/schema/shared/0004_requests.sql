-- What apps sent lately, in batches, for their developers; and how much by the hour.
CREATE TABLE request_batches (
    client_id     text NOT NULL,
    claimed       integer NOT NULL, -- 1: the requests proved nothing
    stored        bigint NOT NULL, -- entries stored of this client, up to the end of this batch
    first_request text NOT NULL,
    at            bigint NOT NULL, -- of the newest
    entries       bytea NOT NULL,
    PRIMARY KEY (client_id, claimed, stored, first_request)
);
CREATE INDEX request_batches_by_age ON request_batches (at);
CREATE TABLE request_hours (
    client_id text NOT NULL,
    hour      bigint NOT NULL,
    answered  integer NOT NULL,
    refused   integer NOT NULL,
    failed    integer NOT NULL,
    refreshed integer NOT NULL,
    PRIMARY KEY (client_id, hour)
);
CREATE INDEX request_hours_by_age ON request_hours (hour);
