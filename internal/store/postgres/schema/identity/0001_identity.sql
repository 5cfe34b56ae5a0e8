-- Who may ask, who is asked, and what was allowed. The hot tables refer to nobody
-- by a foreign key: each insert would lock, and so write to, the row referred to.

CREATE TABLE clients (
    id               text COLLATE "C" PRIMARY KEY,
    name             text NOT NULL,
    type             text NOT NULL,
    redirect_uris    text NOT NULL, -- JSON array
    allowed_scopes   text NOT NULL,
    required_scopes  text NOT NULL,
    home_page        text NOT NULL,
    policy_page      text NOT NULL,
    terms_page       text NOT NULL,
    access_token_ttl bigint NOT NULL, -- seconds
    refresh_grace    bigint NOT NULL, -- seconds
    require_nonce    boolean NOT NULL,
    mode             text NOT NULL,
    baa_signed_on    bigint NOT NULL, -- 0: none
    baa_by           text NOT NULL,
    first_party      boolean NOT NULL,
    verified         boolean NOT NULL,
    enabled          boolean NOT NULL,
    owner            text NOT NULL,
    created_at       bigint NOT NULL,
    updated_at       bigint NOT NULL,
    protocol         text NOT NULL -- JSON object
);

CREATE INDEX clients_by_owner ON clients (owner, id) WHERE owner <> '';

CREATE TABLE client_secrets (
    client_id  text NOT NULL REFERENCES clients (id),
    hash       bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL, -- 0: until it is rotated
    PRIMARY KEY (client_id, hash)
);

CREATE TABLE members (
    id             text COLLATE "C" PRIMARY KEY,
    email          text NOT NULL UNIQUE,
    email_verified boolean NOT NULL,
    name           text NOT NULL,
    locale         text NOT NULL,
    sex            text NOT NULL,
    test           boolean NOT NULL,
    suspended      boolean NOT NULL,
    notice         text NOT NULL,
    created_at     bigint NOT NULL,
    updated_at     bigint NOT NULL,
    password       text NOT NULL -- argon2id, PHC string
);

CREATE TABLE sessions (
    hash       bytea PRIMARY KEY, -- SHA-256 of the cookie
    id         text NOT NULL,
    member_id  text NOT NULL,
    auth_time  bigint NOT NULL,
    seen_at    bigint NOT NULL,
    expires_at bigint NOT NULL -- at the latest, however busy
) WITH (fillfactor = 80);

CREATE INDEX sessions_by_member ON sessions (member_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE grants (
    id         text COLLATE "C" NOT NULL UNIQUE,
    member_id  text COLLATE "C" NOT NULL,
    client_id  text NOT NULL,
    scopes     text NOT NULL,
    declined   text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revoked_at bigint NOT NULL, -- 0: live
    reason     text NOT NULL,
    PRIMARY KEY (member_id, id)
);

CREATE UNIQUE INDEX grants_live ON grants (member_id, client_id) WHERE revoked_at = 0;

-- A refresh changes no column that an index is on, and finds room beside the row:
-- the indexes stay as they are.
CREATE TABLE chains (
    id              text COLLATE "C" NOT NULL,
    grant_id        text NOT NULL,
    member_id       text COLLATE "C" NOT NULL,
    client_id       text NOT NULL,
    scopes          text NOT NULL,
    session_id      text NOT NULL,
    auth_time       bigint NOT NULL,
    generation      bigint NOT NULL,
    key_id          bigint NOT NULL,
    salt            bytea NOT NULL,
    rotated_at      bigint NOT NULL,
    rotated_by      text NOT NULL,
    rotated_for     text NOT NULL,
    created_at      bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    ended_at        bigint NOT NULL, -- 0: live
    ending          text NOT NULL,
    rotated_key     text NOT NULL,
    resources       text NOT NULL, -- separated by spaces
    key             text NOT NULL,
    PRIMARY KEY (member_id, id)
) WITH (fillfactor = 70);

CREATE INDEX chains_live ON chains (member_id, grant_id, created_at) WHERE ended_at = 0;
CREATE INDEX chains_ended ON chains (ended_at) WHERE ended_at > 0;
CREATE INDEX chains_by_session ON chains (member_id, session_id);

-- Client assertions that were used (RFC 7523), until they have long expired.
CREATE TABLE assertions (
    client_id  text NOT NULL,
    hash       bytea NOT NULL, -- SHA-256 of the jti
    expires_at bigint NOT NULL,
    PRIMARY KEY (client_id, hash)
);

CREATE INDEX assertions_by_expiry ON assertions (expires_at);

-- Authorization requests that were pushed (RFC 9126).
CREATE TABLE pushed_requests (
    hash         bytea PRIMARY KEY, -- SHA-256 of the request_uri
    client_id    text NOT NULL,
    parameters   text NOT NULL,   -- form-encoded
    key          text NOT NULL,   -- thumbprint of the DPoP key that the code is bound to
    expires_at   bigint NOT NULL,
    completed_at bigint NOT NULL  -- 0: not yet
);

CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);

-- Logout tokens on their way (OpenID Connect Back-Channel Logout): one for each
-- client and session.
CREATE TABLE logouts (
    client_id  text NOT NULL,
    session_id text NOT NULL,
    member_id  text NOT NULL,
    attempts   bigint NOT NULL,
    due_at     bigint NOT NULL, -- 0: delivered or given up
    ended_at   bigint NOT NULL, -- when the session did
    PRIMARY KEY (client_id, session_id)
);

CREATE INDEX logouts_due ON logouts (due_at) WHERE due_at > 0;
CREATE INDEX logouts_by_end ON logouts (ended_at);

-- Sessions of the portal that were signed out of. Their cookies hold everything
-- else; this is what a cookie cannot know.
CREATE TABLE ended_portal_sessions (
    hash       bytea PRIMARY KEY, -- SHA-256 of the session's id
    expires_at bigint NOT NULL    -- when the session would have ended by itself
);

CREATE INDEX ended_portal_sessions_by_expiry ON ended_portal_sessions (expires_at);
