-- Lab results. No names here, and no status: that depends on the member's sex
-- and on the catalogue, which can change after a result has come in.
--
-- The primary key is the order in which results are listed, member by member.

CREATE TABLE results (
    member_id      TEXT NOT NULL,
    collected_at   INTEGER NOT NULL, -- microseconds since 1970
    id             TEXT NOT NULL UNIQUE,
    arrival        INTEGER NOT NULL, -- the member's results, numbered as they came in
    code           TEXT NOT NULL,
    comparator     TEXT NOT NULL,    -- empty: exactly
    value          TEXT NOT NULL,    -- the laboratory's digits
    unit           TEXT NOT NULL,
    reference_low  TEXT NOT NULL,    -- the laboratory's own limits; empty: none
    reference_high TEXT NOT NULL,
    flag           TEXT NOT NULL,    -- the laboratory's own; empty: none
    source         TEXT NOT NULL,
    parsed_at      INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (member_id, collected_at DESC, id DESC)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX results_by_arrival ON results (member_id, arrival);

-- For the newest of each biomarker.
CREATE INDEX results_by_code ON results (member_id, code, collected_at DESC, id DESC, arrival);
