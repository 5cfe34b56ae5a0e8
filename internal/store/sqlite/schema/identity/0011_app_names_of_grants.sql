-- The app's name as the member was shown it: later notices use that one.
ALTER TABLE grants ADD COLUMN app_name text NOT NULL DEFAULT '';
