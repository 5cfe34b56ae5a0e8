-- Links that are sent by mail and work once (package member), and since when a
-- member's browsers are known.
CREATE TABLE mail_links (
    hash       BLOB PRIMARY KEY, -- SHA-256 of the token, which only the mail has
    purpose    TEXT NOT NULL,
    member_id  TEXT NOT NULL, -- empty: no account yet
    content    BLOB NOT NULL, -- sealed under the key ring
    browser    BLOB NOT NULL, -- SHA-256 of what the browser that asked is known by
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL -- 0: it was not used
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_links_by_member ON mail_links (member_id) WHERE member_id <> '';
CREATE INDEX mail_links_by_expiry ON mail_links (expires_at);

ALTER TABLE members ADD COLUMN devices_since INTEGER NOT NULL DEFAULT 0;
