-- The data keys of members, wrapped, in a file of their own: no backup of what they
-- seal holds them, and a key that is deleted here is gone.

CREATE TABLE roots (
    number INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL -- under a master key
) STRICT;

CREATE TABLE member_keys (
    member_id TEXT NOT NULL,
    purpose   TEXT NOT NULL,
    wrapped   BLOB NOT NULL, -- under the root
    PRIMARY KEY (member_id, purpose)
) STRICT, WITHOUT ROWID;

-- Whose keys were destroyed. They get none again, whatever backup is put back.
CREATE TABLE erased_members (
    member_id TEXT PRIMARY KEY,
    erased_at INTEGER NOT NULL -- microseconds since 1970
) STRICT, WITHOUT ROWID;
