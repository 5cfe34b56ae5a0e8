-- Members who work for whoever runs the platform.
CREATE TABLE operators (
    member_id TEXT PRIMARY KEY,
    role      TEXT NOT NULL,
    added_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
