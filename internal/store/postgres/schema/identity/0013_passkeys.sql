-- Passkeys: the public halves of key pairs on members' devices.

CREATE TABLE passkeys (
    id         bytea PRIMARY KEY, -- the credential's, chosen by the authenticator
    member_id  text NOT NULL,
    public_key bytea NOT NULL, -- COSE
    counter    bigint NOT NULL, -- of signatures
    synced     boolean NOT NULL,
    name       text NOT NULL,
    created_at bigint NOT NULL,
    used_at    bigint NOT NULL -- 0: never
);

CREATE INDEX passkeys_by_member ON passkeys (member_id);

-- What worked once and could be shown again.
CREATE TABLE spent_proofs (
    hash       bytea PRIMARY KEY,
    expires_at bigint NOT NULL
);

CREATE INDEX spent_proofs_by_expiry ON spent_proofs (expires_at);

-- The browser that a session belongs to, by a hash, and what kind it is, in words of ours.
ALTER TABLE sessions ADD COLUMN browser bytea NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN device text NOT NULL DEFAULT '';

CREATE INDEX sessions_by_browser ON sessions (browser) WHERE length(browser) > 0;
