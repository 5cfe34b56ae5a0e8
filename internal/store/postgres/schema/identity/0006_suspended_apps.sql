-- The apps of a suspended developer stop until the developer is reinstated.
ALTER TABLE clients ADD COLUMN owner_suspended boolean NOT NULL DEFAULT false;
UPDATE clients SET owner_suspended = true WHERE owner IN (SELECT id FROM members WHERE suspended);
