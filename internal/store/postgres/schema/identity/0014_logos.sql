-- Where an app's logo is registered, and what became of it, as JSON.
ALTER TABLE clients ADD COLUMN logo text NOT NULL DEFAULT '{}';

-- Our own copies, as members are shown them.
CREATE TABLE pictures (
    client_id text NOT NULL,
    hash      text NOT NULL,
    png       bytea NOT NULL,
    PRIMARY KEY (client_id, hash)
);
