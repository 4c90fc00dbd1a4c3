package sqlstore

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/store"
)

type sessions struct{ view }

const sessionColumns = `id, user_id, hash, epoch, amr, auth_at, created_at, last_seen_at, idle_at, expires_at, source, user_agent`

func scanSession(scan Scan) (s store.Session, err error) {
	err = scan(idColumn{&s.ID}, idColumn{&s.UserID}, hashColumn{s.Hash[:]}, &s.Epoch, jsonColumn{&s.AMR},
		timeColumn{&s.AuthAt}, timeColumn{&s.CreatedAt}, timeColumn{&s.LastSeenAt}, timeColumn{&s.IdleAt},
		timeColumn{&s.ExpiresAt}, addrColumn{&s.Source}, &s.UserAgent)
	return s, err
}

func (s sessions) Put(ctx context.Context, r store.Session) error {
	// ends_at is the earlier of idle_at and expires_at: one index answers which sessions are over.
	const query = `INSERT INTO sessions (` + sessionColumns + `, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, hash = excluded.hash, epoch = excluded.epoch,
		amr = excluded.amr, auth_at = excluded.auth_at, created_at = excluded.created_at,
		last_seen_at = excluded.last_seen_at, idle_at = excluded.idle_at, expires_at = excluded.expires_at,
		source = excluded.source, user_agent = excluded.user_agent, ends_at = excluded.ends_at`
	if err := checkIDs(r.ID, r.UserID); err != nil {
		return err
	}
	amr, err := toJSON(len(r.AMR), r.AMR)
	if err != nil {
		return err
	}
	idle, expires := r.IdleAt.UnixMicro(), r.ExpiresAt.UnixMicro()
	_, err = s.exec(ctx, query, pack(r.ID), pack(r.UserID), r.Hash[:], r.Epoch, amr, r.AuthAt.UnixMicro(),
		r.CreatedAt.UnixMicro(), r.LastSeenAt.UnixMicro(), idle, expires, addr(r.Source), r.UserAgent, min(idle, expires))
	return err
}

func (s sessions) Get(ctx context.Context, id string) (store.Session, error) {
	return get(ctx, s.view, `SELECT `+sessionColumns+` FROM sessions WHERE id = ?`, scanSession, pack(id))
}

func (s sessions) ByHash(ctx context.Context, hash [32]byte) (store.Session, error) {
	return get(ctx, s.view, `SELECT `+sessionColumns+` FROM sessions WHERE hash = ?`, scanSession, hash[:])
}

func (s sessions) List(ctx context.Context, q store.SessionQuery) ([]store.Session, error) {
	var w where
	if q.UserID != "" {
		w.and(`user_id = ?`, pack(q.UserID))
	}
	if q.After != "" {
		w.and(`id > ?`, pack(q.After))
	}
	if !q.Expired.IsZero() {
		// As in whereGrants: so that a sweep reads the index.
		w.and(`id IN (SELECT id FROM (SELECT id FROM sessions WHERE ends_at < ?) AS expired)`, q.Expired.UnixMicro())
	}
	query := `SELECT ` + sessionColumns + ` FROM sessions` + w.text() + ` ORDER BY id`
	if q.Limit > 0 {
		query += ` LIMIT ?`
		w.args = append(w.args, q.Limit)
	}
	return list(ctx, s.view, query, scanSession, w.args...)
}

func (s sessions) Touch(ctx context.Context, id string, seen, idle time.Time) error {
	// idle_at comes last, because MySQL would compare with the new one.
	const query = `UPDATE sessions SET last_seen_at = CASE WHEN last_seen_at < ? THEN ? ELSE last_seen_at END,
		ends_at = CASE WHEN idle_at >= ? THEN ends_at WHEN expires_at < ? THEN expires_at ELSE ? END,
		idle_at = CASE WHEN idle_at < ? THEN ? ELSE idle_at END
		WHERE id = ? AND (last_seen_at < ? OR idle_at < ?)`
	at, until := seen.UnixMicro(), idle.UnixMicro()
	_, err := s.exec(ctx, query, at, at, until, until, until, until, until, pack(id), at, until)
	return err
}

func (s sessions) End(ctx context.Context, id string) error {
	_, err := s.exec(ctx, `DELETE FROM sessions WHERE id = ?`, pack(id))
	return err
}
