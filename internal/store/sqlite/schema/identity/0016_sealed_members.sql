-- Names and addresses of members, sealed under the data key of each. The columns email
-- and name hold a stand-in and nothing from then on.
ALTER TABLE members ADD COLUMN address BLOB; -- keyed hash of the e-mail address; NULL: not sealed yet
ALTER TABLE members ADD COLUMN sealed BLOB;  -- name and e-mail address; NULL: not sealed yet
ALTER TABLE members ADD COLUMN erase_at INTEGER NOT NULL DEFAULT 0;  -- when the member is to be erased; 0: they stay
ALTER TABLE members ADD COLUMN erased_at INTEGER NOT NULL DEFAULT 0; -- 0: they were not
CREATE UNIQUE INDEX members_by_address ON members (address);
CREATE INDEX members_in_clear ON members (id) WHERE name <> '';
CREATE INDEX members_leaving ON members (erase_at) WHERE erase_at > 0;

-- Since when names and addresses are written sealed alone; 0: ever since.
CREATE TABLE member_form (
    single INTEGER PRIMARY KEY CHECK (single = 1),
    sealed_since INTEGER NOT NULL -- microseconds since 1970; -1: in clear as well
) STRICT;

INSERT INTO member_form (single, sealed_since) VALUES (1, 0);
