-- The chained record, one lane per database, and the refusals that are counted
-- before they become a record.

CREATE TABLE audit_records (
    lane       TEXT NOT NULL,
    number     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    event      TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id   TEXT NOT NULL,
    member_id  TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    request_id TEXT NOT NULL,
    address    TEXT NOT NULL,
    detail     TEXT NOT NULL, -- JSON object
    previous   BLOB NOT NULL,
    hash       BLOB NOT NULL,
    PRIMARY KEY (lane, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_tallies (
    hour      INTEGER NOT NULL,
    event     TEXT NOT NULL,
    subject   TEXT NOT NULL,
    reason    TEXT NOT NULL,
    member_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    grant_id  TEXT NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (hour, event, subject, reason)
) STRICT, WITHOUT ROWID;
