-- A grant is the member's: it outlives the app, so it no longer refers to the row of
-- one. SQLite takes a reference away only with the table.
CREATE TABLE grants_without_reference (
    member_id  TEXT NOT NULL REFERENCES members (id),
    id         TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    declined   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL, -- 0: live
    reason     TEXT NOT NULL,
    app_name   TEXT NOT NULL DEFAULT '',
    ends_at    INTEGER NOT NULL DEFAULT 0, -- 0: until it is revoked
    PRIMARY KEY (member_id, id)
) STRICT, WITHOUT ROWID;

INSERT INTO grants_without_reference SELECT member_id, id, client_id, scopes, declined, created_at, updated_at, revoked_at, reason, app_name, ends_at FROM grants;
DROP TABLE grants;
ALTER TABLE grants_without_reference RENAME TO grants;

CREATE UNIQUE INDEX grants_by_id ON grants (id);
CREATE UNIQUE INDEX grants_live ON grants (member_id, client_id) WHERE revoked_at = 0;
CREATE INDEX grants_by_end ON grants (ends_at) WHERE ends_at > 0 AND revoked_at = 0;
