-- Sessions of the portal that were signed out of. Their cookies hold everything
-- else; this is what a cookie cannot know.

CREATE TABLE ended_portal_sessions (
    hash       BLOB PRIMARY KEY, -- SHA-256 of the session's id
    expires_at INTEGER NOT NULL  -- when the session would have ended by itself
) STRICT, WITHOUT ROWID;

CREATE INDEX ended_portal_sessions_by_expiry ON ended_portal_sessions (expires_at);
