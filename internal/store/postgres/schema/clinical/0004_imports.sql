-- What was imported, so that a file that comes again adds nothing. The hashes are under
-- the member's data key. Whoever steals this file learns who had how many results
-- imported, and which were corrected.
CREATE TABLE imported (
    member_id text COLLATE "C" NOT NULL,
    identity  bytea NOT NULL,    -- hash of report, code and time
    number    bigint NOT NULL, -- of the versions under one identity, from 0
    content   bytea NOT NULL,    -- hash of the rest
    result_id text COLLATE "C" NOT NULL,
    retracted bigint NOT NULL, -- 1: superseded, or entered in error
    PRIMARY KEY (member_id, identity, number)
);

-- Results whose codes nobody knows yet, sealed under their member's data key.
CREATE TABLE asides (
    member_id text COLLATE "C" NOT NULL,
    identity  bytea NOT NULL,
    sealed    bytea NOT NULL,
    added_at  bigint NOT NULL, -- microseconds since 1970
    PRIMARY KEY (member_id, identity)
);

-- What operators said that senders' codes mean.
CREATE TABLE code_names (
    system    text COLLATE "C" NOT NULL, -- a URI, or source: and the name of the source
    code      text COLLATE "C" NOT NULL,
    biomarker text COLLATE "C" NOT NULL,
    PRIMARY KEY (system, code)
);
