-- Keys that rotate: which algorithm, and from when on.

ALTER TABLE keys ADD COLUMN algorithm TEXT NOT NULL DEFAULT ''; -- of signing keys
ALTER TABLE keys ADD COLUMN seals_from INTEGER NOT NULL DEFAULT 0;

UPDATE keys SET seals_from = created_at;
UPDATE keys SET algorithm = 'ES256' WHERE purpose = 'signing';

-- The number of the last change. Keys take their ids from it, so that the id of
-- one that was deleted is never given again.
CREATE TABLE key_changes (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    value INTEGER NOT NULL
) STRICT;

INSERT INTO key_changes (only, value) SELECT 1, coalesce(max(id), 0) FROM keys;
