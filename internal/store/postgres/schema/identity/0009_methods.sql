-- How a member proved who they are, in the words of the claim amr, and the class of
-- sign-in that an app asked for (acr). All who signed in before did so by password.
ALTER TABLE sessions ADD COLUMN methods text NOT NULL DEFAULT 'pwd';
ALTER TABLE chains ADD COLUMN methods text NOT NULL DEFAULT 'pwd';
ALTER TABLE chains ADD COLUMN acr text NOT NULL DEFAULT '';
