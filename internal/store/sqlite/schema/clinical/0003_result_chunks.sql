-- Lab results in chunks, each sealed under its member's data key. What is beside a
-- chunk is what queries need, and what whoever steals this file learns: whose results
-- they are, how many, when they were collected and when they came in. Neither what
-- was measured nor by whom.
CREATE TABLE result_chunks (
    member_id     TEXT NOT NULL,
    number        INTEGER NOT NULL, -- of the member's chunks
    first_arrival INTEGER NOT NULL, -- of its results, which are numbered as they came in
    last_arrival  INTEGER NOT NULL,
    oldest        INTEGER NOT NULL, -- collection of its results, microseconds since 1970
    newest        INTEGER NOT NULL,
    low_id        TEXT NOT NULL,    -- the ids of its results are from this one
    high_id       TEXT NOT NULL,    -- to that one
    sealed        BLOB NOT NULL,
    PRIMARY KEY (member_id, number)
) STRICT;

CREATE INDEX result_chunks_by_time ON result_chunks (member_id, newest DESC, number DESC);
CREATE INDEX result_chunks_by_arrival ON result_chunks (member_id, last_arrival);

-- Whether results are added in chunks, and those of the table results are moved.
CREATE TABLE result_form (
    single INTEGER PRIMARY KEY CHECK (single = 1),
    chunks INTEGER NOT NULL
) STRICT;

INSERT INTO result_form (single, chunks) VALUES (1, 1);
