package sqlstore

import (
	"context"

	"github.com/ostiary/ostiary/store"
)

type credentials struct{ view }

const credentialColumns = `id, user_id, method, lookup, factor, data, version, created_at`

func scanCredential(scan Scan) (c store.Credential, err error) {
	err = scan(idColumn{&c.ID}, idColumn{&c.UserID}, &c.Method, &c.Lookup, &c.Factor, bytesColumn{&c.Data}, &c.Version,
		timeColumn{&c.CreatedAt})
	return c, err
}

func (s credentials) Create(ctx context.Context, r store.Credential) error {
	const query = `INSERT INTO credentials (id, user_id, method, lookup, factor, data, created_at, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`
	if err := checkIDs(r.ID, r.UserID); err != nil {
		return err
	}
	return s.backend.Step(ctx, func(c Conn) error {
		return insert(ctx, c, query, pack(r.ID), pack(r.UserID), r.Method, r.Lookup, truth(r.Factor), blob(r.Data),
			r.CreatedAt.UnixMicro())
	})
}

func (s credentials) ByLookup(ctx context.Context, method, lookup string) (store.Credential, error) {
	const query = `SELECT ` + credentialColumns + ` FROM credentials WHERE method = ? AND lookup = ?`
	return get(ctx, s.view, query, scanCredential, method, lookup)
}

func (s credentials) Of(ctx context.Context, userID string) ([]store.Credential, error) {
	const query = `SELECT ` + credentialColumns + ` FROM credentials WHERE user_id = ? ORDER BY id`
	return list(ctx, s.view, query, scanCredential, pack(userID))
}

func (s credentials) Update(ctx context.Context, r store.Credential) error {
	const (
		exists = `SELECT 1 FROM credentials WHERE id = ?`
		taken  = `SELECT 1 FROM credentials WHERE method = ? AND lookup = ? AND id <> ?`
		update = `UPDATE credentials SET user_id = ?, method = ?, lookup = ?, factor = ?, data = ?, created_at = ?,
			version = version + 1 WHERE id = ? AND version = ?`
	)
	if err := checkReferences(r.UserID); err != nil {
		return err
	}
	id := pack(r.ID)
	return s.backend.Write(ctx, func(c Conn) error {
		if err := one(ctx, c, exists, ignore, id); err != nil {
			return err
		}
		if err := absent(one(ctx, c, taken, ignore, r.Method, r.Lookup, id)); err != nil {
			return err
		}
		args := []any{
			pack(r.UserID), r.Method, r.Lookup, truth(r.Factor), blob(r.Data), r.CreatedAt.UnixMicro(), id, r.Version,
		}
		return swap(ctx, c, update, args, exists, id)
	})
}

func (s credentials) Delete(ctx context.Context, id string, version int64) error {
	const (
		exists = `SELECT 1 FROM credentials WHERE id = ?`
		remove = `DELETE FROM credentials WHERE id = ? AND (version = ? OR ? = 0)`
	)
	return s.backend.Step(ctx, func(c Conn) error {
		return idempotent(swap(ctx, c, remove, []any{pack(id), version, version}, exists, pack(id)))
	})
}

func (s credentials) DeleteOf(ctx context.Context, userID string) error {
	_, err := s.exec(ctx, `DELETE FROM credentials WHERE user_id = ?`, pack(userID))
	return err
}
