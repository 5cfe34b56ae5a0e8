-- Links that are sent by mail and work once (package member), and since when a
-- member's browsers are known.
CREATE TABLE mail_links (
    hash       bytea PRIMARY KEY, -- SHA-256 of the token, which only the mail has
    purpose    text NOT NULL,
    member_id  text COLLATE "C" NOT NULL, -- empty: no account yet
    content    bytea NOT NULL, -- sealed under the key ring
    browser    bytea NOT NULL, -- SHA-256 of what the browser that asked is known by
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint NOT NULL -- 0: it was not used
);

CREATE INDEX mail_links_by_member ON mail_links (member_id) WHERE member_id <> '';
CREATE INDEX mail_links_by_expiry ON mail_links (expires_at);

ALTER TABLE members ADD COLUMN devices_since bigint NOT NULL DEFAULT 0;
