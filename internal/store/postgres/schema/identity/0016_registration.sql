-- How a client came to be known: by a developer or an operator (''), by its metadata
-- document ('document'), or by itself ('itself'); and what else there is of that, as JSON.
ALTER TABLE clients ADD COLUMN registered_by text NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN registration text NOT NULL DEFAULT '{}';

CREATE INDEX clients_registered_by_themselves ON clients (created_at) WHERE registered_by = 'itself';
