-- Second factors: apps that make codes, and recovery codes.
CREATE TABLE second_factors (
    member_id  TEXT PRIMARY KEY REFERENCES members (id),
    secret     BLOB NOT NULL, -- sealed under the key ring
    step       INTEGER NOT NULL, -- of the clock, whose code was used last
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    member_id TEXT NOT NULL,
    hash      BLOB NOT NULL,
    PRIMARY KEY (member_id, hash)
) STRICT, WITHOUT ROWID;
