-- Tries to sign in and up, counted for all processes together. A key has one of
-- 65,536 slots and takes it from another: strangers never make the table grow. What
-- a crash loses of it is counted anew.
CREATE UNLOGGED TABLE sign_in_tries (
    slot       integer PRIMARY KEY, -- of the key's first bytes
    key        bytea NOT NULL,      -- keyed hash of what is counted
    count      integer NOT NULL,
    since      bigint NOT NULL,
    not_before bigint NOT NULL
) WITH (fillfactor = 50);
