-- Lab results. No names here, and no status: that depends on the member's sex
-- and on the catalogue, which can change after a result has come in.
--
-- The primary key is the order in which results are listed, member by member.
-- Ids are compared byte by byte, as everywhere in the platform.

CREATE TABLE results (
    member_id      text COLLATE "C" NOT NULL,
    collected_at   bigint NOT NULL, -- microseconds since 1970
    id             text COLLATE "C" NOT NULL UNIQUE,
    arrival        bigint NOT NULL, -- the member's results, numbered as they came in
    code           text NOT NULL,
    comparator     text NOT NULL,   -- empty: exactly
    value          text NOT NULL,   -- the laboratory's digits
    unit           text NOT NULL,
    reference_low  text NOT NULL,   -- the laboratory's own limits; empty: none
    reference_high text NOT NULL,
    flag           text NOT NULL,   -- the laboratory's own; empty: none
    source         text NOT NULL,
    parsed_at      bigint NOT NULL, -- microseconds since 1970
    PRIMARY KEY (member_id, collected_at, id)
);

CREATE UNIQUE INDEX results_by_arrival ON results (member_id, arrival);

-- For the newest of each biomarker.
CREATE INDEX results_by_code ON results (member_id, code, collected_at, id, arrival);
