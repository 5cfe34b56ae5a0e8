-- Whether anybody still allows an app is asked before one that registered itself is
-- forgotten, and the grants of an app that was deleted are ended. A refresh changes no
-- grant, and so nothing here.
CREATE INDEX grants_of_apps ON grants (client_id) WHERE revoked_at = 0;
