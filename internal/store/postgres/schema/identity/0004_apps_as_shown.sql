-- Since when an app is shown to members as it is, which forms of the portal were
-- sent, and when a developer was last there.

ALTER TABLE clients ADD COLUMN appearance text NOT NULL DEFAULT '{}'; -- JSON object

CREATE TABLE sent_forms (
    hash       bytea PRIMARY KEY, -- SHA-256 of the form's id, its sender and its act
    content    bytea NOT NULL,    -- SHA-256 of what it said
    client_id  text NOT NULL,     -- the app that its act was about
    sent_at    bigint NOT NULL,
    expires_at bigint NOT NULL    -- from then on, the form is not taken any more
);

CREATE INDEX sent_forms_by_expiry ON sent_forms (expires_at);

CREATE TABLE portal_visits (
    member_id text PRIMARY KEY,
    began_at  bigint NOT NULL -- of the newest visit
);
