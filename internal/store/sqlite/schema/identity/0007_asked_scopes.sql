-- What the authorization of a chain asked for, the scopes that the member left out
-- among it, so that a refresh may name them again.
ALTER TABLE chains ADD COLUMN asked TEXT NOT NULL DEFAULT ''; -- '': from before this was kept
