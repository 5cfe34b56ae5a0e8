-- Results that apps send: words where there is no number, limits that are excluded,
-- dates without a time, who sent them, and when that was taken back.
ALTER TABLE results ADD COLUMN value_text   TEXT NOT NULL DEFAULT '';    -- empty: the value is a number
ALTER TABLE results ADD COLUMN excluded     TEXT NOT NULL DEFAULT '';    -- which of the laboratory's limits: low, high, both
ALTER TABLE results ADD COLUMN precision    TEXT NOT NULL DEFAULT '';    -- of collected_at; empty: a moment
ALTER TABLE results ADD COLUMN sent_by      TEXT NOT NULL DEFAULT '';    -- the client; empty: it came another way
ALTER TABLE results ADD COLUMN retracted_at INTEGER NOT NULL DEFAULT 0;  -- microseconds since 1970; 0: it was not

-- Batches that were taken in, so that one that is sent again is recognised.
CREATE TABLE submissions (
    member_id  TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    key        BLOB NOT NULL,    -- hash of the sender's key
    content    BLOB NOT NULL,    -- hash of the body
    results    TEXT NOT NULL,    -- the ids, separated by spaces
    expires_at INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (member_id, client_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX submissions_by_expiry ON submissions (expires_at);

-- The newest of each biomarker passes over nothing that was retracted.
DROP INDEX results_by_code;
CREATE INDEX results_by_code ON results (member_id, code, collected_at DESC, id DESC, arrival) WHERE retracted_at = 0;
