-- What happened to one app, for its developer. Other records are not in it, and
-- cost no more to write than before.
CREATE INDEX audit_records_of_apps ON audit_records (client_id, at) WHERE substr(event, 1, 7) = 'client.';
