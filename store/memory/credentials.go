package memory

import (
	"context"

	"github.com/ostiary/ostiary/store"
)

type credentials struct{ view }

func cloneCredential(c store.Credential) store.Credential {
	c.Data, c.CreatedAt = list(c.Data), micros(c.CreatedAt)
	return c
}

func (s credentials) Create(ctx context.Context, c store.Credential) error {
	return s.step(ctx, func(d *data) error {
		if err := checkIDs(c.ID, c.UserID); err != nil {
			return err
		}
		_, exists := d.credentials[c.ID]
		_, taken := d.lookups[[2]string{c.Method, c.Lookup}]
		if exists || taken {
			return store.ErrConflict
		}
		c.Version = 1
		d.putCredential(c)
		return nil
	})
}

func (d *data) putCredential(c store.Credential) {
	put(d, d.credentials, c.ID, cloneCredential(c))
	put(d, d.lookups, [2]string{c.Method, c.Lookup}, c.ID)
}

func (d *data) dropCredential(c store.Credential) {
	drop(d, d.credentials, c.ID)
	drop(d, d.lookups, [2]string{c.Method, c.Lookup})
}

func (s credentials) ByLookup(ctx context.Context, method, lookup string) (c store.Credential, err error) {
	err = s.step(ctx, func(d *data) error {
		id, ok := d.lookups[[2]string{method, lookup}]
		if !ok {
			return store.ErrNotFound
		}
		c = cloneCredential(d.credentials[id])
		return nil
	})
	return c, err
}

func (s credentials) Of(ctx context.Context, userID string) (found []store.Credential, err error) {
	err = s.step(ctx, func(d *data) error {
		found = d.credentialsOf(userID)
		for i := range found {
			found[i] = cloneCredential(found[i])
		}
		return nil
	})
	return found, err
}

func (d *data) credentialsOf(userID string) []store.Credential {
	return sorted(d.credentials, 0, func(c store.Credential) bool { return userID != "" && c.UserID == userID })
}

func (s credentials) Update(ctx context.Context, c store.Credential) error {
	return s.step(ctx, func(d *data) error {
		if err := checkReferences(c.UserID); err != nil {
			return err
		}
		old, ok := d.credentials[c.ID]
		if !ok {
			return store.ErrNotFound
		}
		owner, taken := d.lookups[[2]string{c.Method, c.Lookup}]
		if old.Version != c.Version || taken && owner != c.ID {
			return store.ErrConflict
		}
		c.Version++
		d.dropCredential(old)
		d.putCredential(c)
		return nil
	})
}

func (s credentials) Delete(ctx context.Context, id string, version int64) error {
	return s.step(ctx, func(d *data) error {
		c, ok := d.credentials[id]
		if !ok {
			return nil
		}
		if version != 0 && c.Version != version {
			return store.ErrConflict
		}
		d.dropCredential(c)
		return nil
	})
}

func (s credentials) DeleteOf(ctx context.Context, userID string) error {
	return s.step(ctx, func(d *data) error {
		for _, c := range d.credentialsOf(userID) {
			d.dropCredential(c)
		}
		return nil
	})
}
