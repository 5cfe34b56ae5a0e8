-- Until when the member lets the app have what they allowed. 0: until it is revoked.
ALTER TABLE grants ADD COLUMN ends_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX grants_by_end ON grants (ends_at) WHERE ends_at > 0 AND revoked_at = 0;

-- What members were shown when they answered an app, and what they answered. It holds
-- nothing of their own data.
CREATE TABLE receipts (
    id        TEXT NOT NULL,
    grant_id  TEXT NOT NULL,
    member_id TEXT NOT NULL,
    at        INTEGER NOT NULL,
    shown     TEXT NOT NULL, -- JSON
    allowed   TEXT NOT NULL,
    declined  TEXT NOT NULL,
    ends_at   INTEGER NOT NULL, -- 0: none
    PRIMARY KEY (member_id, grant_id, id)
) STRICT, WITHOUT ROWID;
