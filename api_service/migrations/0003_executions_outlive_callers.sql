-- Where an execution was given to: the start of a worker, as in sessions.
ALTER TABLE executions ADD COLUMN worker_instance TEXT;
-- Which execution a key began, so that a retry finds it, whatever ended the first connection.
ALTER TABLE idempotency_keys ADD COLUMN execution_id TEXT;
