-- A user can be disabled, and deleted. A deleted user's row stays until everything of the user's has
-- ended; until then it counts as disabled, too.

ALTER TABLE users ADD COLUMN disabled_at BIGINT;
ALTER TABLE users ADD COLUMN deleted_at BIGINT;

-- Sign-ins of an earlier generation than the user's are over.
ALTER TABLE users ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE refresh_tokens ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
