-- Who may ask, who is asked, what was allowed, and what was ended.

CREATE TABLE clients (
    id               TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    type             TEXT NOT NULL,
    redirect_uris    TEXT NOT NULL, -- JSON array
    allowed_scopes   TEXT NOT NULL,
    required_scopes  TEXT NOT NULL,
    home_page        TEXT NOT NULL,
    policy_page      TEXT NOT NULL,
    terms_page       TEXT NOT NULL,
    access_token_ttl INTEGER NOT NULL, -- seconds
    refresh_grace    INTEGER NOT NULL, -- seconds
    require_nonce    INTEGER NOT NULL,
    mode             TEXT NOT NULL,
    baa_signed_on    INTEGER NOT NULL, -- 0: none
    baa_by           TEXT NOT NULL,
    first_party      INTEGER NOT NULL,
    verified         INTEGER NOT NULL,
    enabled          INTEGER NOT NULL,
    owner            TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX clients_by_owner ON clients (owner, id) WHERE owner <> '';

CREATE TABLE client_secrets (
    client_id  TEXT NOT NULL REFERENCES clients (id),
    hash       BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, -- 0: until it is rotated
    PRIMARY KEY (client_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    id             TEXT PRIMARY KEY,
    email          TEXT NOT NULL UNIQUE,
    email_verified INTEGER NOT NULL,
    name           TEXT NOT NULL,
    locale         TEXT NOT NULL,
    sex            TEXT NOT NULL,
    test           INTEGER NOT NULL,
    suspended      INTEGER NOT NULL,
    notice         TEXT NOT NULL,
    password       TEXT NOT NULL, -- argon2id, PHC string
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    hash       BLOB PRIMARY KEY, -- SHA-256 of the cookie
    id         TEXT NOT NULL,
    member_id  TEXT NOT NULL REFERENCES members (id),
    auth_time  INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL -- at the latest, however busy
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_member ON sessions (member_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE grants (
    member_id  TEXT NOT NULL REFERENCES members (id),
    id         TEXT NOT NULL,
    client_id  TEXT NOT NULL REFERENCES clients (id),
    scopes     TEXT NOT NULL,
    declined   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL, -- 0: live
    reason     TEXT NOT NULL,
    PRIMARY KEY (member_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX grants_by_id ON grants (id);
CREATE UNIQUE INDEX grants_live ON grants (member_id, client_id) WHERE revoked_at = 0;

CREATE TABLE chains (
    member_id       TEXT NOT NULL REFERENCES members (id),
    id              TEXT NOT NULL,
    grant_id        TEXT NOT NULL,
    client_id       TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    auth_time       INTEGER NOT NULL,
    generation      INTEGER NOT NULL,
    key_id          INTEGER NOT NULL,
    salt            BLOB NOT NULL,
    rotated_at      INTEGER NOT NULL,
    rotated_by      TEXT NOT NULL,
    rotated_for     TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    ended_at        INTEGER NOT NULL, -- 0: live
    ending          TEXT NOT NULL,
    PRIMARY KEY (member_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX chains_live ON chains (member_id, grant_id, created_at) WHERE ended_at = 0;
CREATE INDEX chains_ended ON chains (ended_at) WHERE ended_at > 0;

CREATE TABLE revocations (
    number     INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX revocations_by_expiry ON revocations (expires_at);

CREATE TABLE revocation_counter (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    value INTEGER NOT NULL
) STRICT;

INSERT INTO revocation_counter (only, value) VALUES (1, 0);

CREATE TABLE keys (
    id         INTEGER PRIMARY KEY,
    purpose    TEXT NOT NULL,
    sealed     BLOB NOT NULL, -- under the master key
    created_at INTEGER NOT NULL
) STRICT;
