package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/ostiary/ostiary/store"
)

type messages struct{ view }

const messageColumns = `id, body, attempts, due_at, expires_at`

func scanMessage(scan Scan) (m store.Message, err error) {
	err = scan(idColumn{&m.ID}, bytesColumn{&m.Body}, &m.Attempts, timeColumn{&m.At}, timeColumn{&m.ExpiresAt})
	return m, err
}

func (s messages) Enqueue(ctx context.Context, m ...store.Message) error {
	const (
		query = `INSERT INTO messages (` + messageColumns + `) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
		undo  = `DELETE FROM messages WHERE id = ?`
	)
	for _, r := range m {
		if err := checkIDs(r.ID); err != nil {
			return err
		}
	}
	return s.backend.Write(ctx, func(c Conn) error {
		for i, r := range m {
			err := insert(ctx, c, query, pack(r.ID), blob(r.Body), r.Attempts, r.At.UnixMicro(), r.ExpiresAt.UnixMicro())
			if err == nil {
				continue
			}
			// All or nothing, also for a caller who goes on with its transaction.
			for _, earlier := range m[:i] {
				_, undone := c.Exec(ctx, undo, pack(earlier.ID))
				err = errors.Join(err, undone)
			}
			return err
		}
		return nil
	})
}

func (s messages) Lease(ctx context.Context, now, until time.Time, limit int) ([]store.Message, error) {
	const (
		due   = `SELECT ` + messageColumns + ` FROM messages WHERE due_at <= ? ORDER BY due_at, id LIMIT ?`
		lease = `UPDATE messages SET due_at = ?, attempts = attempts + 1 WHERE id = ? AND attempts = ?`
	)
	var leased []store.Message
	round := func(c Conn) (lost bool, err error) {
		candidates, err := collect(ctx, c, due, scanMessage, now.UnixMicro(), max(limit-len(leased), 0))
		for _, m := range candidates {
			won, err := c.Exec(ctx, lease, until.UnixMicro(), pack(m.ID), m.Attempts)
			if err != nil {
				return false, err
			}
			if won == 0 {
				lost = true
				continue
			}
			m.Attempts, m.At = m.Attempts+1, time.UnixMicro(until.UnixMicro()).UTC()
			leased = append(leased, m)
		}
		return lost, err
	}
	err := s.backend.Step(ctx, func(c Conn) error {
		leased = nil
		for { // again while others were faster
			if lost, err := round(c); err != nil || !lost {
				return err
			}
		}
	})
	return leased, err
}

func (s messages) Delay(ctx context.Context, id string, at time.Time) error {
	_, err := s.exec(ctx, `UPDATE messages SET due_at = ? WHERE id = ?`, at.UnixMicro(), pack(id))
	return err
}

func (s messages) Done(ctx context.Context, id string) error {
	_, err := s.exec(ctx, `DELETE FROM messages WHERE id = ?`, pack(id))
	return err
}

func (s messages) Count(ctx context.Context) (int, error) {
	return get(ctx, s.view, `SELECT COUNT(*) FROM messages`, func(scan Scan) (n int, err error) {
		err = scan(&n)
		return n, err
	})
}
