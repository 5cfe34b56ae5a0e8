-- Passkeys: the public halves of key pairs on members' devices.

CREATE TABLE passkeys (
    id         BLOB PRIMARY KEY, -- the credential's, chosen by the authenticator
    member_id  TEXT NOT NULL REFERENCES members (id),
    public_key BLOB NOT NULL, -- COSE
    counter    INTEGER NOT NULL, -- of signatures
    synced     INTEGER NOT NULL,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL -- 0: never
) STRICT, WITHOUT ROWID;

CREATE INDEX passkeys_by_member ON passkeys (member_id);

-- What worked once and could be shown again.
CREATE TABLE spent_proofs (
    hash       BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_proofs_by_expiry ON spent_proofs (expires_at);

-- The browser that a session belongs to, by a hash, and what kind it is, in words of ours.
ALTER TABLE sessions ADD COLUMN browser BLOB NOT NULL DEFAULT x'';
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';

CREATE INDEX sessions_by_browser ON sessions (browser) WHERE length(browser) > 0;
