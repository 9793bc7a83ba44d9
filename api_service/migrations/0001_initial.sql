-- One schema for SQLite and PostgreSQL: identifiers and JSON are TEXT, moments are unix
-- milliseconds in BIGINT, truth is 0 or 1 in BIGINT.

CREATE TABLE users (
    id            TEXT   NOT NULL PRIMARY KEY,
    username      TEXT   NOT NULL UNIQUE,
    password_hash TEXT   NOT NULL,
    is_admin      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE refresh_tokens (
    hash       TEXT   NOT NULL PRIMARY KEY,
    family     TEXT   NOT NULL,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    revoked_at BIGINT
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);

CREATE TABLE api_keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    preview    TEXT   NOT NULL,
    hash       TEXT   NOT NULL UNIQUE,
    scopes     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);

-- A gateway process that lives renews its row; what a dead one held is then known to be cut off.
CREATE TABLE gateway_boots (
    id      TEXT   NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL
);

CREATE TABLE executions (
    id          TEXT   NOT NULL PRIMARY KEY,
    user_id     TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id  TEXT,
    language    TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    boot_id     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    finished_at BIGINT,
    report      TEXT
);
CREATE INDEX executions_user ON executions (user_id, id);
CREATE INDEX executions_state ON executions (state, boot_id);
CREATE INDEX executions_created_at ON executions (created_at);

CREATE TABLE sessions (
    id              TEXT   NOT NULL PRIMARY KEY,
    user_id         TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    language        TEXT   NOT NULL,
    metadata        TEXT   NOT NULL,
    worker_instance TEXT,
    stage           TEXT   NOT NULL,
    boot_id         TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    ended_at        BIGINT
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_ended_at ON sessions (ended_at);

CREATE TABLE idempotency_keys (
    user_id         TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    route           TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    fingerprint     TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    boot_id         TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    status          BIGINT,
    sealed_body     TEXT,
    PRIMARY KEY (user_id, route, idempotency_key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
