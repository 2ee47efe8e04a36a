DROP TABLE outbox;
DROP TABLE provider_effects;
DROP TABLE webhook_events;
