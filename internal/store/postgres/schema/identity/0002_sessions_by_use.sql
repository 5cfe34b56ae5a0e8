-- For the sweep of sessions that nobody uses any more: without it, it went through
-- all of them.
CREATE INDEX sessions_by_use ON sessions (seen_at);
