-- Names and addresses of members, sealed under the data key of each. The columns email
-- and name hold a stand-in and nothing from then on.
ALTER TABLE members ADD COLUMN address bytea; -- keyed hash of the e-mail address; NULL: not sealed yet
ALTER TABLE members ADD COLUMN sealed bytea;  -- name and e-mail address; NULL: not sealed yet
ALTER TABLE members ADD COLUMN erase_at bigint NOT NULL DEFAULT 0;  -- when the member is to be erased; 0: they stay
ALTER TABLE members ADD COLUMN erased_at bigint NOT NULL DEFAULT 0; -- 0: they were not
CREATE UNIQUE INDEX members_by_address ON members (address);
CREATE INDEX members_in_clear ON members (id) WHERE name <> '';
CREATE INDEX members_leaving ON members (erase_at) WHERE erase_at > 0;

-- Since when names and addresses are written sealed alone; 0: ever since. Not before
-- the last process is gone that knows no others.
CREATE TABLE member_form (
    single integer PRIMARY KEY CHECK (single = 1),
    sealed_since bigint NOT NULL -- microseconds since 1970; -1: in clear as well
);

INSERT INTO member_form (single, sealed_since) SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM members) THEN -1 ELSE 0 END;
