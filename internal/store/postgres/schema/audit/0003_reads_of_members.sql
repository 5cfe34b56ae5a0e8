-- What apps read of one member, for that member. Other records are not in it, and
-- cost no more to write than before.
CREATE INDEX audit_reads_of_members ON audit_records (member_id, at, client_id) WHERE event = 'biomarkers.read';
