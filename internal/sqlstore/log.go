package sqlstore

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/ostiary/ostiary/store"
)

type log struct{ view }

func (s log) Append(ctx context.Context, e ...store.Entry) error {
	if s.pending == nil {
		return s.backend.Write(ctx, func(c Conn) error { return appendEntries(ctx, c, e) })
	}
	return s.backend.Write(ctx, func(Conn) error {
		*s.pending = append(*s.pending, e...)
		return nil
	})
}

// appendEntries takes the numbers from the counter row (R19). It holds that row from here to the commit, so these are the
// last statements of a transaction, and nobody commits a higher number first.
func appendEntries(ctx context.Context, c Conn, e []store.Entry) error {
	const (
		advance = `UPDATE log_head SET seq = seq + ?`
		query   = `INSERT INTO log (seq, kind, hash, expires_at) SELECT log_head.seq - ?, ?, ?, ? FROM log_head`
	)
	if len(e) == 0 {
		return nil
	}
	if _, err := c.Exec(ctx, advance, len(e)); err != nil {
		return err
	}
	for i, entry := range e {
		if _, err := c.Exec(ctx, query, len(e)-i-1, int64(entry.Kind), entry.Hash[:], entry.ExpiresAt.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

func (s log) After(ctx context.Context, seq int64, limit int) ([]store.Entry, store.Position, error) {
	// One statement is one snapshot on every database, so that the head and the entries belong together.
	const query = `SELECT log_head.incarnation, log_head.seq, newer.seq, newer.kind, newer.hash, newer.expires_at
		FROM log_head LEFT JOIN (SELECT seq, kind, hash, expires_at FROM log WHERE seq > ? ORDER BY seq LIMIT ?) AS newer
		ON TRUE ORDER BY newer.seq`
	var head store.Position
	var entries []store.Entry
	err := s.backend.Read(ctx, func(c Conn) error {
		entries = nil
		return one(ctx, c, query, func(scan Scan) error {
			var number, kind, expires *int64
			var hash []byte
			if err := scan(hashColumn{head.Incarnation[:]}, &head.Seq, &number, &kind, &hash, &expires); err != nil {
				return err
			}
			if number == nil || limit < 1 {
				return nil
			}
			e := store.Entry{Seq: *number, Kind: store.Kind(*kind), ExpiresAt: time.UnixMicro(*expires).UTC()}
			entries = append(entries, e)
			return hashColumn{entries[len(entries)-1].Hash[:]}.Scan(hash)
		}, seq, max(limit, 1))
	})
	return entries, head, err
}

func (s log) Has(ctx context.Context, kind store.Kind, hash [16]byte) (bool, error) {
	const query = `SELECT 1 FROM log WHERE hash = ? AND kind = ? LIMIT 1`
	found := false
	err := s.backend.Read(ctx, func(c Conn) error {
		return c.Query(ctx, query, func(Scan) error {
			found = true
			return nil
		}, hash[:], int64(kind))
	})
	return found, err
}

func (s log) Restart(ctx context.Context) error {
	var incarnation [16]byte
	if _, err := rand.Read(incarnation[:]); err != nil {
		return err
	}
	return s.backend.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, `UPDATE log_head SET incarnation = ?`, incarnation[:]); err != nil {
			return err
		}
		_, err := c.Exec(ctx, `DELETE FROM log`)
		return err
	})
}

func (s log) Trim(ctx context.Context, t time.Time, limit int) (int, error) {
	const query = `DELETE FROM log WHERE seq IN (SELECT seq FROM (
		SELECT seq FROM log WHERE expires_at < ? LIMIT ?) AS expired)`
	return s.trim(ctx, query, t, limit)
}
