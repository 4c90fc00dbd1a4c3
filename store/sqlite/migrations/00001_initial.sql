-- Times are integer microseconds since 1970 in UTC, IDs the 16 bytes of a UUID, hashes blobs of fixed length.
-- Nothing refers to anything by foreign key: what hangs on a person is removed by the engine in the same transaction.

-- +goose Up

CREATE TABLE users (
    id             BLOB    NOT NULL PRIMARY KEY,
    email          TEXT    NOT NULL,
    email_normal   TEXT    UNIQUE, -- NULL without an address
    email_verified INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    name_folded    TEXT    NOT NULL, -- for search
    picture        TEXT    NOT NULL,
    locale         TEXT    NOT NULL,
    roles          TEXT    NOT NULL, -- JSON; user_roles is its index
    status         TEXT    NOT NULL,
    epoch          INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE user_roles (
    role    TEXT NOT NULL,
    user_id BLOB NOT NULL,
    PRIMARY KEY (role, user_id)
) WITHOUT ROWID;
CREATE INDEX user_roles_user ON user_roles (user_id);

CREATE TABLE credentials (
    id         BLOB    NOT NULL PRIMARY KEY,
    user_id    BLOB,
    method     TEXT    NOT NULL,
    lookup     TEXT    NOT NULL,
    factor     INTEGER NOT NULL,
    data       BLOB,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (method, lookup)
);
CREATE INDEX credentials_user ON credentials (user_id);

-- With a rowid, because each of the four index entries then holds a small number instead of the ID.
CREATE TABLE grants (
    id         BLOB    NOT NULL PRIMARY KEY,
    handle     BLOB    NOT NULL,
    user_id    BLOB,
    session_id BLOB,
    client_id  TEXT, -- NULL: first-party
    scope      TEXT    NOT NULL,
    delivery   INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    recovered  INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    binding    BLOB,
    created_at INTEGER NOT NULL
);
CREATE INDEX grants_user ON grants (substr(user_id, 3, 4));
CREATE INDEX grants_session ON grants (substr(session_id, 3, 4));
CREATE INDEX grants_expires ON grants (expires_at);

CREATE TABLE tickets (
    kind       TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    user_id    BLOB,
    data       BLOB,
    attempts   INTEGER NOT NULL,
    consumed   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, hash)
);
CREATE INDEX tickets_user ON tickets (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX tickets_expires ON tickets (expires_at);

CREATE TABLE log (
    seq        INTEGER NOT NULL PRIMARY KEY,
    kind       INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX log_hash ON log (hash, kind);
CREATE INDEX log_expires ON log (expires_at);

CREATE TABLE log_head (
    incarnation BLOB    NOT NULL,
    seq         INTEGER NOT NULL
);
INSERT INTO log_head (incarnation, seq) VALUES (randomblob(16), 0);

CREATE TABLE events (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id         BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    subject    BLOB,
    session_id BLOB,
    client_id  TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    detail     TEXT    NOT NULL -- JSON
);
CREATE INDEX events_subject ON events (subject) WHERE subject IS NOT NULL;
CREATE INDEX events_kind ON events (kind);
CREATE INDEX events_at ON events (at);

CREATE TABLE messages (
    id         BLOB    NOT NULL PRIMARY KEY,
    body       BLOB,
    attempts   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX messages_due ON messages (due_at, id);

CREATE TABLE registry (
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    data    BLOB,
    version INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE sessions (
    id           BLOB    NOT NULL PRIMARY KEY,
    user_id      BLOB,
    hash         BLOB    NOT NULL UNIQUE,
    epoch        INTEGER NOT NULL,
    amr          TEXT    NOT NULL, -- JSON
    auth_at      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    idle_at      INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ends_at      INTEGER NOT NULL, -- the earlier of idle_at and expires_at
    source       TEXT    NOT NULL,
    user_agent   TEXT    NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_ends ON sessions (ends_at);

CREATE TABLE counters (
    name    TEXT    NOT NULL PRIMARY KEY,
    state   BLOB    NOT NULL, -- when the bucket of each rate is full again: 8 bytes each, big endian
    full_at INTEGER NOT NULL  -- the latest of them
) WITHOUT ROWID;
CREATE INDEX counters_full ON counters (full_at);
