-- How clients speak with the authorization server, what is bound to a key, and
-- what must be used once only.

ALTER TABLE clients ADD COLUMN protocol TEXT NOT NULL DEFAULT '{}'; -- JSON object

UPDATE clients SET protocol = json_object(
    'grant_types', json_array('authorization_code', 'refresh_token'),
    'token_endpoint_auth_method', CASE type WHEN 'public' THEN 'none' ELSE 'client_secret_basic' END,
    'profile', 'oauth',
    'id_token_signed_response_alg', 'ES256'
);

ALTER TABLE chains ADD COLUMN rotated_key TEXT NOT NULL DEFAULT '';
ALTER TABLE chains ADD COLUMN resources   TEXT NOT NULL DEFAULT ''; -- separated by spaces
ALTER TABLE chains ADD COLUMN key         TEXT NOT NULL DEFAULT '';

-- Client assertions that were used (RFC 7523), until they have long expired.
CREATE TABLE assertions (
    client_id  TEXT NOT NULL,
    hash       BLOB NOT NULL, -- SHA-256 of the jti
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX assertions_by_expiry ON assertions (expires_at);

-- Authorization requests that were pushed (RFC 9126).
CREATE TABLE pushed_requests (
    hash         BLOB PRIMARY KEY, -- SHA-256 of the request_uri
    client_id    TEXT NOT NULL,
    parameters   TEXT NOT NULL,    -- form-encoded
    key          TEXT NOT NULL,    -- thumbprint of the DPoP key that the code is bound to
    expires_at   INTEGER NOT NULL,
    completed_at INTEGER NOT NULL  -- 0: not yet
) STRICT, WITHOUT ROWID;

CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);

-- Logout tokens on their way (OpenID Connect Back-Channel Logout): one for each
-- client and session.
CREATE TABLE logouts (
    client_id  TEXT NOT NULL,
    session_id TEXT NOT NULL,
    member_id  TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL, -- 0: delivered or given up
    ended_at   INTEGER NOT NULL, -- when the session did
    PRIMARY KEY (client_id, session_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX logouts_due ON logouts (due_at) WHERE due_at > 0;
CREATE INDEX logouts_by_end ON logouts (ended_at);

CREATE INDEX chains_by_session ON chains (member_id, session_id);
