-- Lab results in chunks, each sealed under its member's data key. What is beside a
-- chunk is what queries need, and what whoever steals this database learns: whose
-- results they are, how many, when they were collected and when they came in. Neither
-- what was measured nor by whom.
CREATE TABLE result_chunks (
    member_id     text COLLATE "C" NOT NULL,
    number        bigint NOT NULL, -- of the member's chunks
    first_arrival bigint NOT NULL, -- of its results, which are numbered as they came in
    last_arrival  bigint NOT NULL,
    oldest        bigint NOT NULL, -- collection of its results, microseconds since 1970
    newest        bigint NOT NULL,
    low_id        text COLLATE "C" NOT NULL, -- the ids of its results are from this one
    high_id       text COLLATE "C" NOT NULL, -- to that one
    sealed        bytea NOT NULL,
    PRIMARY KEY (member_id, number)
);

ALTER TABLE result_chunks ALTER COLUMN sealed SET STORAGE EXTERNAL; -- nothing makes it smaller

CREATE INDEX result_chunks_by_time ON result_chunks (member_id, newest, number);
CREATE INDEX result_chunks_by_arrival ON result_chunks (member_id, last_arrival);

-- Whether results are added in chunks, and those of the table results are moved. Not
-- before the last process is gone that knows that table alone.
CREATE TABLE result_form (
    single integer PRIMARY KEY CHECK (single = 1),
    chunks boolean NOT NULL
);

INSERT INTO result_form (single, chunks) VALUES (1, NOT EXISTS (SELECT 1 FROM results));
