-- In which epoch the state is: a restore begins another.

ALTER TABLE revocation_counter ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;
