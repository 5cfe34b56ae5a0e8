-- The revocation counter at the refresh that made a chain's present tokens, so that the
-- same tokens can be made again. A lower number is no harm: it ends them sooner.
ALTER TABLE chains ADD COLUMN rotated_rev INTEGER NOT NULL DEFAULT 0;
