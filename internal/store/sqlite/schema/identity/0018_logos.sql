-- Where an app's logo is registered, and what became of it, as JSON.
ALTER TABLE clients ADD COLUMN logo TEXT NOT NULL DEFAULT '{}';

-- Our own copies, as members are shown them.
CREATE TABLE pictures (
    client_id TEXT NOT NULL,
    hash      TEXT NOT NULL,
    png       BLOB NOT NULL,
    PRIMARY KEY (client_id, hash)
) STRICT;
