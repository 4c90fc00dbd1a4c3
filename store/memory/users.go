package memory

import (
	"context"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/store"
)

type users struct{ view }

func cloneUser(u store.User) store.User {
	u.Roles = list(u.Roles)
	u.CreatedAt, u.UpdatedAt = micros(u.CreatedAt), micros(u.UpdatedAt)
	return u
}

func (s users) Create(ctx context.Context, u store.User) error {
	return s.step(ctx, func(d *data) error {
		if err := checkIDs(u.ID); err != nil {
			return err
		}
		_, exists := d.users[u.ID]
		_, taken := d.emails[u.EmailNormal]
		if exists || taken {
			return store.ErrConflict
		}
		u.Version = 1
		d.putUser(u)
		return nil
	})
}

func (d *data) putUser(u store.User) {
	put(d, d.users, u.ID, cloneUser(u))
	if u.EmailNormal != "" {
		put(d, d.emails, u.EmailNormal, u.ID)
	}
}

func (s users) Get(ctx context.Context, id string) (u store.User, err error) {
	err = s.step(ctx, func(d *data) error {
		found, ok := d.users[id]
		if !ok {
			return store.ErrNotFound
		}
		u = cloneUser(found)
		return nil
	})
	return u, err
}

func (s users) ByEmail(ctx context.Context, normal string) (u store.User, err error) {
	err = s.step(ctx, func(d *data) error {
		id, ok := d.emails[normal]
		if !ok {
			return store.ErrNotFound
		}
		u = cloneUser(d.users[id])
		return nil
	})
	return u, err
}

func (s users) Update(ctx context.Context, u store.User) error {
	return s.step(ctx, func(d *data) error {
		old, ok := d.users[u.ID]
		if !ok {
			return store.ErrNotFound
		}
		owner, taken := d.emails[u.EmailNormal]
		if old.Version != u.Version || taken && owner != u.ID {
			return store.ErrConflict
		}
		u.Version++
		drop(d, d.emails, old.EmailNormal)
		d.putUser(u)
		return nil
	})
}

func (s users) Delete(ctx context.Context, id string) error {
	return s.step(ctx, func(d *data) error {
		if u, ok := d.users[id]; ok {
			drop(d, d.emails, u.EmailNormal)
			drop(d, d.users, id)
		}
		return nil
	})
}

func (s users) List(ctx context.Context, q store.UserQuery) (found []store.User, err error) {
	err = s.step(ctx, func(d *data) error {
		if q.After != "" && !store.ValidID(q.After) {
			return nil
		}
		found = sorted(d.users, page(q.Limit), func(u store.User) bool { return matchUser(u, q) })
		for i := range found {
			found[i] = cloneUser(found[i])
		}
		return nil
	})
	return found, err
}

func matchUser(u store.User, q store.UserQuery) bool {
	return u.ID > q.After &&
		(q.Role == "" || slices.Contains(u.Roles, q.Role)) &&
		(q.Status == "" || u.Status == q.Status) &&
		(q.Search == "" || strings.Contains(u.EmailNormal, q.Search) ||
			strings.Contains(foldASCII(u.Name), foldASCII(q.Search)))
}

func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
