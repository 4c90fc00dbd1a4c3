package memory

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary/store"
)

type grants struct{ view }

func cloneGrant(g store.Grant) store.Grant {
	g.Binding = list(g.Binding)
	g.RotatedAt, g.ExpiresAt = micros(g.RotatedAt), micros(g.ExpiresAt)
	g.EndsAt, g.CreatedAt = micros(g.EndsAt), micros(g.CreatedAt)
	return g
}

func (s grants) Create(ctx context.Context, g store.Grant) error {
	return s.step(ctx, func(d *data) error {
		if err := checkIDs(g.ID, g.UserID, g.SessionID); err != nil {
			return err
		}
		if _, taken := d.grants[g.ID]; taken {
			return store.ErrConflict
		}
		put(d, d.grants, g.ID, cloneGrant(g))
		return nil
	})
}

func (s grants) Get(ctx context.Context, id string) (g store.Grant, err error) {
	err = s.step(ctx, func(d *data) error {
		found, ok := d.grants[id]
		if !ok {
			return store.ErrNotFound
		}
		g = cloneGrant(found)
		return nil
	})
	return g, err
}

func (s grants) Rotate(ctx context.Context, r store.Rotation) error {
	return s.step(ctx, func(d *data) error {
		g, ok := d.grants[r.ID]
		if !ok {
			return store.ErrNotFound
		}
		if u, ok := d.users[g.UserID]; g.UserID != "" && (!ok || u.Epoch != g.Epoch) {
			return store.ErrNotFound
		}
		if g.Generation != r.From {
			return store.ErrConflict
		}
		g.Generation, g.RotatedAt, g.ExpiresAt = r.From+1, r.At, r.ExpiresAt
		put(d, d.grants, g.ID, cloneGrant(g))
		return nil
	})
}

func (s grants) Recover(ctx context.Context, id string, generation int64) error {
	return s.step(ctx, func(d *data) error {
		g, ok := d.grants[id]
		if !ok || g.Generation != generation || g.Recovered != 0 && g.Recovered > generation-2 {
			return store.ErrConflict
		}
		g.Recovered = generation
		put(d, d.grants, id, g)
		return nil
	})
}

func (s grants) List(ctx context.Context, q store.GrantQuery) (found []store.Grant, err error) {
	err = s.step(ctx, func(d *data) (err error) {
		found, err = d.grantsOf(q)
		for i := range found {
			found[i] = cloneGrant(found[i])
		}
		return err
	})
	return found, err
}

func (s grants) End(ctx context.Context, q store.GrantQuery) (n int, err error) {
	err = s.step(ctx, func(d *data) error {
		found, err := d.grantsOf(q)
		for _, g := range found {
			drop(d, d.grants, g.ID)
		}
		n = len(found)
		return err
	})
	return n, err
}

var errEverything = errors.New("select grants: the query names no grant, person, session, client or time")

func (d *data) grantsOf(q store.GrantQuery) ([]store.Grant, error) {
	if q.ID == "" && q.UserID == "" && q.SessionID == "" && q.ClientID == "" && q.Expired.IsZero() {
		return nil, errEverything
	}
	return sorted(d.grants, q.Limit, func(g store.Grant) bool { return matchGrant(g, q) }), nil
}

func matchGrant(g store.Grant, q store.GrantQuery) bool {
	return (q.ID == "" || g.ID == q.ID) &&
		(q.UserID == "" || g.UserID == q.UserID) &&
		(q.SessionID == "" || g.SessionID == q.SessionID) &&
		(q.ClientID == "" || g.ClientID == q.ClientID) &&
		(q.Expired.IsZero() || g.ExpiresAt.Before(micros(q.Expired))) &&
		(q.Except == "" || g.SessionID != q.Except)
}
