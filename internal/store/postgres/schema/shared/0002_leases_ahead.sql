-- By how many microseconds a process's own clock is ahead of the database's.
ALTER TABLE leases ADD COLUMN ahead bigint NOT NULL DEFAULT 0;
