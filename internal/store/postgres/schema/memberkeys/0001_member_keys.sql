-- The data keys of members, wrapped, in a schema of their own, which can be in a
-- database of its own: no backup of what they seal holds them, and a key that is
-- deleted here is gone.

CREATE TABLE roots (
    number bigint PRIMARY KEY,
    sealed bytea NOT NULL -- under a master key
);

CREATE TABLE member_keys (
    member_id text COLLATE "C" NOT NULL,
    purpose   text NOT NULL,
    wrapped   bytea NOT NULL, -- under the root
    PRIMARY KEY (member_id, purpose)
);

-- Whose keys were destroyed. They get none again, whatever backup is put back.
CREATE TABLE erased_members (
    member_id text COLLATE "C" PRIMARY KEY,
    erased_at bigint NOT NULL -- microseconds since 1970
);
