-- How often an app read a member's data, by day, of the records that read_counted says
-- are counted. Whoever steals this file learns what audit_records says anyway.
CREATE TABLE read_counts (
    member_id text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    day       bigint NOT NULL, -- since 1970, UTC
    reads     bigint NOT NULL,
    newest    bigint NOT NULL, -- microseconds since 1970
    PRIMARY KEY (member_id, client_id, day)
);
CREATE INDEX read_counts_by_day ON read_counts (day);

-- How far each lane of audit_records is counted.
CREATE TABLE read_counted (
    lane         text COLLATE "C" PRIMARY KEY,
    number       bigint NOT NULL, -- of the last record that is
    caught_up_at bigint NOT NULL  -- when that was the lane's newest, microseconds since 1970; 0: never yet
);
