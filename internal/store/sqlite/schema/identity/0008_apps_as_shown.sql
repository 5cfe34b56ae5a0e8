-- Since when an app is shown to members as it is, which forms of the portal were
-- sent, and when a developer was last there.

ALTER TABLE clients ADD COLUMN appearance TEXT NOT NULL DEFAULT '{}'; -- JSON object

CREATE TABLE sent_forms (
    hash       BLOB PRIMARY KEY, -- SHA-256 of the form's id, its sender and its act
    content    BLOB NOT NULL,    -- SHA-256 of what it said
    client_id  TEXT NOT NULL,    -- the app that its act was about
    sent_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL  -- from then on, the form is not taken any more
) STRICT, WITHOUT ROWID;

CREATE INDEX sent_forms_by_expiry ON sent_forms (expires_at);

CREATE TABLE portal_visits (
    member_id TEXT PRIMARY KEY,
    began_at  INTEGER NOT NULL -- of the newest visit
) STRICT, WITHOUT ROWID;
