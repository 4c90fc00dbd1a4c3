package sqlstore

import (
	"context"

	"github.com/ostiary/ostiary/store"
)

type registry struct{ view }

func scanRecord(scan Scan) (r store.Record, err error) {
	err = scan(&r.Kind, &r.ID, bytesColumn{&r.Data}, &r.Version)
	return r, err
}

func (s registry) Put(ctx context.Context, r store.Record) error {
	const (
		create = `INSERT INTO registry (kind, id, data, version) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING`
		update = `UPDATE registry SET data = ?, version = version + 1 WHERE kind = ? AND id = ? AND version = ?`
		exists = `SELECT 1 FROM registry WHERE kind = ? AND id = ?`
	)
	return s.backend.Step(ctx, func(c Conn) error {
		if r.Version == 0 {
			return insert(ctx, c, create, r.Kind, r.ID, blob(r.Data))
		}
		return swap(ctx, c, update, []any{blob(r.Data), r.Kind, r.ID, r.Version}, exists, r.Kind, r.ID)
	})
}

func (s registry) Get(ctx context.Context, kind, id string) (store.Record, error) {
	const query = `SELECT kind, id, data, version FROM registry WHERE kind = ? AND id = ?`
	return get(ctx, s.view, query, scanRecord, kind, id)
}

func (s registry) List(ctx context.Context, kind, after string, limit int) ([]store.Record, error) {
	const query = `SELECT kind, id, data, version FROM registry WHERE kind = ? AND id > ? ORDER BY id LIMIT ?`
	return list(ctx, s.view, query, scanRecord, kind, after, max(limit, 0))
}

func (s registry) Delete(ctx context.Context, kind, id string, version int64) error {
	const (
		remove = `DELETE FROM registry WHERE kind = ? AND id = ? AND (version = ? OR ? = 0)`
		exists = `SELECT 1 FROM registry WHERE kind = ? AND id = ?`
	)
	return s.backend.Step(ctx, func(c Conn) error {
		return idempotent(swap(ctx, c, remove, []any{kind, id, version, version}, exists, kind, id))
	})
}
