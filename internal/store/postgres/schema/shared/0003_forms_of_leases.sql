-- Up to which change of a stored form a process knows: what an older one could not
-- read is not written before it is gone. 1: lab results in chunks.
ALTER TABLE leases ADD COLUMN knows bigint NOT NULL DEFAULT 0;
