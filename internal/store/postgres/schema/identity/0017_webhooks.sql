-- Where an app has events sent to, as JSON.
ALTER TABLE clients ADD COLUMN webhooks text NOT NULL DEFAULT 'null';

-- What became of a delivery's newest attempt, and since when none has worked.
ALTER TABLE deliveries ADD COLUMN failing_since bigint NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN failure text NOT NULL DEFAULT '';

-- The deliveries of a webhook are listed, also those that are over.
CREATE INDEX deliveries_of_webhooks ON deliveries (destination, number) WHERE kind = 'webhook';
-- Since when a webhook does not work is the oldest failure behind the newest success.
CREATE INDEX deliveries_failing ON deliveries (destination, failing_since) WHERE kind = 'webhook' AND failing_since > 0;
CREATE INDEX deliveries_delivered ON deliveries (destination, settled_at) WHERE kind = 'webhook' AND outcome = 'delivered';
