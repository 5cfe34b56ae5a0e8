-- The apps of a suspended developer stop until the developer is reinstated.
ALTER TABLE clients ADD COLUMN owner_suspended INTEGER NOT NULL DEFAULT 0;
UPDATE clients SET owner_suspended = 1 WHERE owner IN (SELECT id FROM members WHERE suspended = 1);
