-- Second factors: apps that make codes, and recovery codes.
CREATE TABLE second_factors (
    member_id  text PRIMARY KEY,
    secret     bytea NOT NULL, -- sealed under the key ring
    step       bigint NOT NULL, -- of the clock, whose code was used last
    created_at bigint NOT NULL
);

CREATE TABLE recovery_codes (
    member_id text NOT NULL,
    hash      bytea NOT NULL,
    PRIMARY KEY (member_id, hash)
);
