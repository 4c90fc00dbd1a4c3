-- Times are integer microseconds since 1970 in UTC, IDs the 16 bytes of a UUID, hashes 32 bytes. Texts are kept as the
-- bytes of their UTF-8, so that no collation compares them. Nothing refers to anything by foreign key: what hangs on a
-- person is removed by the engine in the same transaction.
--
-- A change of the schema is no transaction here, so each statement can be run again by who comes after a crash.

-- +goose Up

CREATE TABLE IF NOT EXISTS users (
    id             BINARY(16) NOT NULL PRIMARY KEY,
    email          BLOB NOT NULL,
    email_normal   VARBINARY(1024) UNIQUE, -- NULL without an address
    email_verified BIGINT NOT NULL,
    name           BLOB NOT NULL,
    name_folded    BLOB NOT NULL, -- for search
    picture        BLOB NOT NULL,
    locale         BLOB NOT NULL,
    roles          MEDIUMBLOB NOT NULL, -- JSON; user_roles is its index
    status         VARBINARY(255) NOT NULL,
    epoch          BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS user_roles (
    role    VARBINARY(255) NOT NULL,
    user_id BINARY(16) NOT NULL,
    PRIMARY KEY (role, user_id),
    KEY user_roles_user (user_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS credentials (
    id         BINARY(16) NOT NULL PRIMARY KEY,
    user_id    BINARY(16),
    method     VARBINARY(255) NOT NULL,
    lookup     MEDIUMBLOB NOT NULL,
    factor     BIGINT NOT NULL,
    data       MEDIUMBLOB,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- A lookup may be longer than what an index can hold.
    lookup_hash BINARY(32) AS (UNHEX(SHA2(lookup, 256))) STORED,
    UNIQUE (method, lookup_hash),
    KEY credentials_user (user_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS grants (
    id         BINARY(16) NOT NULL PRIMARY KEY,
    handle     BINARY(16) NOT NULL,
    user_id    BINARY(16),
    session_id BINARY(16),
    client_id  VARBINARY(255), -- NULL: first-party
    scope      BLOB NOT NULL,
    delivery   BIGINT NOT NULL,
    epoch      BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    recovered  BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    binding    BLOB,
    created_at BIGINT NOT NULL,
    KEY grants_user (user_id),
    KEY grants_session (session_id),
    KEY grants_expires (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS tickets (
    kind       VARBINARY(255) NOT NULL,
    hash       BINARY(32) NOT NULL,
    user_id    BINARY(16),
    data       MEDIUMBLOB,
    attempts   BIGINT NOT NULL,
    consumed   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, hash),
    KEY tickets_user (user_id),
    KEY tickets_expires (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS log (
    seq        BIGINT NOT NULL PRIMARY KEY,
    kind       BIGINT NOT NULL,
    hash       BINARY(16) NOT NULL,
    expires_at BIGINT NOT NULL,
    KEY log_hash (hash, kind),
    KEY log_expires (expires_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS log_head (
    one         BIGINT NOT NULL PRIMARY KEY,
    incarnation BINARY(16) NOT NULL,
    seq         BIGINT NOT NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

INSERT INTO log_head (one, incarnation, seq)
VALUES (1, UNHEX(LEFT(SHA2(CONCAT(UUID(), RAND(), CONNECTION_ID(), SYSDATE(6), RAND()), 256), 32)), 0)
ON DUPLICATE KEY UPDATE seq = seq;

CREATE TABLE IF NOT EXISTS events (
    seq        BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
    id         BINARY(16) NOT NULL,
    kind       VARBINARY(255) NOT NULL,
    at         BIGINT NOT NULL,
    actor      BLOB NOT NULL,
    subject    BINARY(16),
    session_id BINARY(16),
    client_id  VARBINARY(255) NOT NULL,
    source     BLOB NOT NULL,
    request_id BLOB NOT NULL,
    detail     MEDIUMBLOB NOT NULL, -- JSON
    KEY events_subject (subject, seq),
    KEY events_kind (kind, seq),
    KEY events_at (at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS messages (
    id         BINARY(16) NOT NULL PRIMARY KEY,
    body       MEDIUMBLOB,
    attempts   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    KEY messages_due (due_at, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS registry (
    kind    VARBINARY(255) NOT NULL,
    id      VARBINARY(600) NOT NULL,
    data    MEDIUMBLOB,
    version BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS sessions (
    id           BINARY(16) NOT NULL PRIMARY KEY,
    user_id      BINARY(16),
    hash         BINARY(32) NOT NULL,
    epoch        BIGINT NOT NULL,
    amr          BLOB NOT NULL, -- JSON
    auth_at      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    idle_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL, -- the earlier of idle_at and expires_at
    source       BLOB NOT NULL,
    user_agent   BLOB NOT NULL,
    KEY sessions_user (user_id),
    KEY sessions_ends (ends_at),
    KEY sessions_hash (hash) -- not unique, so that ON DUPLICATE KEY can only mean the ID
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS counters (
    name    VARBINARY(255) NOT NULL PRIMARY KEY,
    state   VARBINARY(255) NOT NULL, -- when the bucket of each rate is full again: 8 bytes each, big endian
    full_at BIGINT NOT NULL, -- the latest of them
    KEY counters_full (full_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
