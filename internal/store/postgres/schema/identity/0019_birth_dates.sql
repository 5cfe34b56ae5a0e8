-- When members were born, sealed under the data key of each; NULL: not known.
ALTER TABLE members ADD COLUMN born bytea;
