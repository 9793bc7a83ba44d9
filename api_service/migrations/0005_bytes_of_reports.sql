-- How much of the disk each user's history takes, to be summed up without reading it.

ALTER TABLE executions ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
UPDATE executions SET bytes = COALESCE(LENGTH(report), 0);
CREATE INDEX executions_bytes ON executions (user_id, id, bytes);
-- The new one begins with the same columns.
DROP INDEX executions_user;
