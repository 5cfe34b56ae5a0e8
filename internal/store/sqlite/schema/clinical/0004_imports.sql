-- What was imported, so that a file that comes again adds nothing. The hashes are under
-- the member's data key. Whoever steals this file learns who had how many results
-- imported, and which were corrected.
CREATE TABLE imported (
    member_id TEXT NOT NULL,
    identity  BLOB NOT NULL,    -- hash of report, code and time
    number    INTEGER NOT NULL, -- of the versions under one identity, from 0
    content   BLOB NOT NULL,    -- hash of the rest
    result_id TEXT NOT NULL,
    retracted INTEGER NOT NULL, -- 1: superseded, or entered in error
    PRIMARY KEY (member_id, identity, number)
) STRICT, WITHOUT ROWID;

-- Results whose codes nobody knows yet, sealed under their member's data key.
CREATE TABLE asides (
    member_id TEXT NOT NULL,
    identity  BLOB NOT NULL,
    sealed    BLOB NOT NULL,
    added_at  INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (member_id, identity)
) STRICT;

-- What operators said that senders' codes mean.
CREATE TABLE code_names (
    system    TEXT NOT NULL, -- a URI, or source: and the name of the source
    code      TEXT NOT NULL,
    biomarker TEXT NOT NULL,
    PRIMARY KEY (system, code)
) STRICT, WITHOUT ROWID;
