-- How much of the disk each user's kept answers take, to be summed up without reading them.

ALTER TABLE idempotency_keys ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX idempotency_keys_bytes ON idempotency_keys (user_id, created_at, bytes);
