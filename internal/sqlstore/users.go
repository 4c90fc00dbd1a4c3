package sqlstore

import (
	"context"
	"strings"

	"github.com/ostiary/ostiary/store"
)

type users struct{ view }

const userColumns = `id, email, email_normal, email_verified, name, picture, locale, roles, status, epoch, version, created_at, updated_at`

func scanUser(scan Scan) (u store.User, err error) {
	var normal *string
	err = scan(idColumn{&u.ID}, &u.Email, &normal, &u.EmailVerified, &u.Name, &u.Picture, &u.Locale, jsonColumn{&u.Roles},
		&u.Status, &u.Epoch, &u.Version, timeColumn{&u.CreatedAt}, timeColumn{&u.UpdatedAt})
	if normal != nil {
		u.EmailNormal = *normal
	}
	return u, err
}

// userValues are the columns that Create and Update write, in the order of their statements.
func userValues(u store.User) ([]any, error) {
	roles, err := toJSON(len(u.Roles), u.Roles)
	return []any{
		u.Email, textOrNull(u.EmailNormal), truth(u.EmailVerified), u.Name, foldASCII(u.Name), u.Picture, u.Locale, roles,
		string(u.Status), u.Epoch, u.CreatedAt.UnixMicro(), u.UpdatedAt.UnixMicro(),
	}, err
}

func (s users) Create(ctx context.Context, u store.User) error {
	const query = `INSERT INTO users (email, email_normal, email_verified, name, name_folded, picture, locale, roles, status,
		epoch, created_at, updated_at, id, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`
	if err := checkIDs(u.ID); err != nil {
		return err
	}
	values, err := userValues(u)
	if err != nil {
		return err
	}
	return s.backend.Write(ctx, func(c Conn) error {
		if err := insert(ctx, c, query, append(values, pack(u.ID))...); err != nil {
			return err
		}
		return indexRoles(ctx, c, u)
	})
}

func (s users) Get(ctx context.Context, id string) (store.User, error) {
	return get(ctx, s.view, `SELECT `+userColumns+` FROM users WHERE id = ?`, scanUser, pack(id))
}

func (s users) ByEmail(ctx context.Context, normal string) (store.User, error) {
	return get(ctx, s.view, `SELECT `+userColumns+` FROM users WHERE email_normal = ?`, scanUser, textOrNull(normal))
}

func (s users) Update(ctx context.Context, u store.User) error {
	const (
		exists = `SELECT 1 FROM users WHERE id = ?`
		taken  = `SELECT 1 FROM users WHERE email_normal = ? AND id <> ?`
		update = `UPDATE users SET email = ?, email_normal = ?, email_verified = ?, name = ?, name_folded = ?, picture = ?,
			locale = ?, roles = ?, status = ?, epoch = ?, created_at = ?, updated_at = ?, version = version + 1
			WHERE id = ? AND version = ?`
	)
	values, err := userValues(u)
	if err != nil {
		return err
	}
	id := pack(u.ID)
	return s.backend.Write(ctx, func(c Conn) error {
		if err := one(ctx, c, exists, ignore, id); err != nil {
			return err
		}
		// Asked before, not learnt from a failed UPDATE, which would end the whole transaction on PostgreSQL.
		if err := absent(one(ctx, c, taken, ignore, textOrNull(u.EmailNormal), id)); err != nil {
			return err
		}
		if err := swap(ctx, c, update, append(values, id, u.Version), exists, id); err != nil {
			return err
		}
		return indexRoles(ctx, c, u)
	})
}

func (s users) Delete(ctx context.Context, id string) error {
	return s.backend.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, `DELETE FROM user_roles WHERE user_id = ?`, pack(id)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, `DELETE FROM users WHERE id = ?`, pack(id))
		return err
	})
}

func (s users) List(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	var w where
	if q.After != "" {
		w.and(`id > ?`, pack(q.After))
	}
	if q.Search != "" {
		w.and(`(instr(email_normal, ?) > 0 OR instr(name_folded, ?) > 0)`, q.Search, foldASCII(q.Search))
	}
	if q.Role != "" {
		w.and(`id IN (SELECT user_id FROM user_roles WHERE role = ?)`, q.Role)
	}
	if q.Status != "" {
		w.and(`status = ?`, string(q.Status))
	}
	query := `SELECT ` + userColumns + ` FROM users` + w.text() + ` ORDER BY id LIMIT ?`
	return listFrom(ctx, s.lagging, query, scanUser, append(w.args, page(q.Limit))...)
}

// indexRoles makes the index of roles say what the record says.
func indexRoles(ctx context.Context, c Conn, u store.User) error {
	if _, err := c.Exec(ctx, `DELETE FROM user_roles WHERE user_id = ?`, pack(u.ID)); err != nil {
		return err
	}
	for _, role := range u.Roles {
		const query = `INSERT INTO user_roles (role, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING`
		if _, err := c.Exec(ctx, query, role, pack(u.ID)); err != nil {
			return err
		}
	}
	return nil
}

// foldASCII is for search only: the letters that a person types without thinking of their case.
func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
