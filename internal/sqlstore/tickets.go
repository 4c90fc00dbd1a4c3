package sqlstore

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/store"
)

type tickets struct{ view }

const ticketColumns = `kind, hash, user_id, data, attempts, expires_at`

func scanTicket(scan Scan) (t store.Ticket, err error) {
	err = scan(&t.Kind, hashColumn{t.Hash[:]}, idColumn{&t.UserID}, bytesColumn{&t.Data}, &t.Attempts, timeColumn{&t.ExpiresAt})
	return t, err
}

func (s tickets) Put(ctx context.Context, t store.Ticket) error {
	const query = `INSERT INTO tickets (` + ticketColumns + `, consumed) VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING`
	if err := checkReferences(t.UserID); err != nil {
		return err
	}
	return s.backend.Step(ctx, func(c Conn) error {
		return insert(ctx, c, query, t.Kind, t.Hash[:], pack(t.UserID), blob(t.Data), t.Attempts, t.ExpiresAt.UnixMicro())
	})
}

func (s tickets) Get(ctx context.Context, kind string, hash [32]byte) (store.Ticket, error) {
	const query = `SELECT ` + ticketColumns + ` FROM tickets WHERE kind = ? AND hash = ? AND consumed = 0`
	return get(ctx, s.view, query, scanTicket, kind, hash[:])
}

func (s tickets) Attempt(ctx context.Context, kind string, hash [32]byte) (n int, err error) {
	const (
		query  = `SELECT attempts FROM tickets WHERE kind = ? AND hash = ? AND consumed = 0`
		update = `UPDATE tickets SET attempts = attempts + 1 WHERE kind = ? AND hash = ? AND consumed = 0 AND attempts = ?`
	)
	err = s.backend.Step(ctx, func(c Conn) error {
		for { // until nobody was faster
			if err := one(ctx, c, query, func(scan Scan) error { return scan(&n) }, kind, hash[:]); err != nil {
				return err
			}
			changed, err := c.Exec(ctx, update, kind, hash[:], n)
			n++
			if err != nil || changed > 0 {
				return err
			}
		}
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (s tickets) Consume(ctx context.Context, kind string, hash [32]byte) (t store.Ticket, err error) {
	const (
		update = `UPDATE tickets SET consumed = 1 WHERE kind = ? AND hash = ? AND consumed = 0`
		query  = `SELECT ` + ticketColumns + ` FROM tickets WHERE kind = ? AND hash = ?`
	)
	err = s.backend.Step(ctx, func(c Conn) error {
		changed, err := c.Exec(ctx, update, kind, hash[:])
		if err != nil {
			return err
		}
		read := func(scan Scan) (err error) {
			t, err = scanTicket(scan)
			return err
		}
		if err := one(ctx, c, query, read, kind, hash[:]); err != nil {
			return err
		}
		if changed == 0 {
			return store.ErrUsed
		}
		return nil
	})
	return t, err
}

func (s tickets) DeleteOf(ctx context.Context, userID, kind string) error {
	query, args := `DELETE FROM tickets WHERE user_id = ?`, []any{pack(userID)}
	if kind != "" {
		query, args = query+` AND kind = ?`, append(args, kind)
	}
	_, err := s.exec(ctx, query, args...)
	return err
}

func (s tickets) Sweep(ctx context.Context, t time.Time, limit int) (int, error) {
	const query = `DELETE FROM tickets WHERE (kind, hash) IN (SELECT kind, hash FROM (
		SELECT kind, hash FROM tickets WHERE expires_at < ? LIMIT ?) AS expired)`
	return s.trim(ctx, query, t, limit)
}

// trim runs a statement that removes a bounded number of old rows.
func (v view) trim(ctx context.Context, query string, t time.Time, limit int) (int, error) {
	n, err := v.exec(ctx, query, t.UnixMicro(), max(limit, 0))
	return int(n), err
}
