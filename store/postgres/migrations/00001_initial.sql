-- Times are integer microseconds since 1970 in UTC, IDs the 16 bytes of a UUID, hashes 32 bytes. Texts are kept as the
-- bytes of their UTF-8, because TEXT cannot hold every text (U+0000) and because no collation may compare them; read one
-- with convert_from(email, 'UTF8'). Nothing refers to anything by foreign key: what hangs on a person is removed by the
-- engine in the same transaction.

-- +goose Up

CREATE TABLE users (
    id             BYTEA  NOT NULL PRIMARY KEY,
    email          BYTEA  NOT NULL,
    email_normal   BYTEA  UNIQUE, -- NULL without an address
    email_verified BIGINT NOT NULL,
    name           BYTEA  NOT NULL,
    name_folded    BYTEA  NOT NULL, -- for search
    picture        BYTEA  NOT NULL,
    locale         BYTEA  NOT NULL,
    roles          BYTEA  NOT NULL, -- JSON; user_roles is its index
    status         BYTEA  NOT NULL,
    epoch          BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);

CREATE TABLE user_roles (
    role    BYTEA NOT NULL,
    user_id BYTEA NOT NULL,
    PRIMARY KEY (role, user_id)
);
CREATE INDEX user_roles_user ON user_roles (user_id);

CREATE TABLE credentials (
    id         BYTEA  NOT NULL PRIMARY KEY,
    user_id    BYTEA,
    method     BYTEA  NOT NULL,
    lookup     BYTEA  NOT NULL,
    factor     BIGINT NOT NULL,
    data       BYTEA,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
-- A lookup may be longer than what an index can hold.
CREATE UNIQUE INDEX credentials_lookup ON credentials (method, sha256(lookup));
CREATE INDEX credentials_user ON credentials (user_id);

CREATE TABLE grants (
    id         BYTEA  NOT NULL PRIMARY KEY,
    handle     BYTEA  NOT NULL,
    user_id    BYTEA,
    session_id BYTEA,
    client_id  BYTEA, -- NULL: first-party
    scope      BYTEA  NOT NULL,
    delivery   BIGINT NOT NULL,
    epoch      BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    recovered  BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    binding    BYTEA,
    created_at BIGINT NOT NULL
);
CREATE INDEX grants_user ON grants (user_id);
CREATE INDEX grants_session ON grants (session_id);
CREATE INDEX grants_expires ON grants (expires_at);

CREATE TABLE tickets (
    kind       BYTEA  NOT NULL,
    hash       BYTEA  NOT NULL,
    user_id    BYTEA,
    data       BYTEA,
    attempts   BIGINT NOT NULL,
    consumed   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, hash)
);
CREATE INDEX tickets_user ON tickets (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX tickets_expires ON tickets (expires_at);

CREATE TABLE log (
    seq        BIGINT NOT NULL PRIMARY KEY,
    kind       BIGINT NOT NULL,
    hash       BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX log_hash ON log (hash, kind);
CREATE INDEX log_expires ON log (expires_at);

CREATE TABLE log_head (
    one         BIGINT NOT NULL PRIMARY KEY,
    incarnation BYTEA  NOT NULL,
    seq         BIGINT NOT NULL
);
INSERT INTO log_head (one, incarnation, seq) VALUES (1, decode(replace(CAST(gen_random_uuid() AS TEXT), '-', ''), 'hex'), 0);

-- BIGSERIAL is a sequence on PostgreSQL and a time-ordered number on CockroachDB.
CREATE TABLE events (
    seq        BIGSERIAL NOT NULL PRIMARY KEY,
    id         BYTEA  NOT NULL,
    kind       BYTEA  NOT NULL,
    at         BIGINT NOT NULL,
    actor      BYTEA  NOT NULL,
    subject    BYTEA,
    session_id BYTEA,
    client_id  BYTEA  NOT NULL,
    source     BYTEA  NOT NULL,
    request_id BYTEA  NOT NULL,
    detail     BYTEA  NOT NULL -- JSON
);
CREATE INDEX events_subject ON events (subject, seq);
CREATE INDEX events_kind ON events (kind, seq);
CREATE INDEX events_at ON events (at);

CREATE TABLE messages (
    id         BYTEA  NOT NULL PRIMARY KEY,
    body       BYTEA,
    attempts   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX messages_due ON messages (due_at, id);

CREATE TABLE registry (
    kind    BYTEA  NOT NULL,
    id      BYTEA  NOT NULL,
    data    BYTEA,
    version BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE sessions (
    id           BYTEA  NOT NULL PRIMARY KEY,
    user_id      BYTEA,
    hash         BYTEA  NOT NULL UNIQUE,
    epoch        BIGINT NOT NULL,
    amr          BYTEA  NOT NULL, -- JSON
    auth_at      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    idle_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL, -- the earlier of idle_at and expires_at
    source       BYTEA  NOT NULL,
    user_agent   BYTEA  NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_ends ON sessions (ends_at);

CREATE TABLE counters (
    name    BYTEA  NOT NULL PRIMARY KEY,
    state   BYTEA  NOT NULL, -- when the bucket of each rate is full again: 8 bytes each, big endian
    full_at BIGINT NOT NULL  -- the latest of them
);
CREATE INDEX counters_full ON counters (full_at);
