package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/ostiary/ostiary/store"
)

type registry struct{ view }

func cloneRecord(r store.Record) store.Record {
	r.Data = list(r.Data)
	return r
}

func (s registry) Put(ctx context.Context, r store.Record) error {
	return s.step(ctx, func(d *data) error {
		key := [2]string{r.Kind, r.ID}
		old, exists := d.registry[key]
		switch {
		case r.Version != 0 && !exists:
			return store.ErrNotFound
		case old.Version != r.Version:
			return store.ErrConflict
		}
		r.Version++
		put(d, d.registry, key, cloneRecord(r))
		return nil
	})
}

func (s registry) Get(ctx context.Context, kind, id string) (r store.Record, err error) {
	err = s.step(ctx, func(d *data) error {
		found, ok := d.registry[[2]string{kind, id}]
		if !ok {
			return store.ErrNotFound
		}
		r = cloneRecord(found)
		return nil
	})
	return r, err
}

func (s registry) List(ctx context.Context, kind, after string, limit int) (found []store.Record, err error) {
	err = s.step(ctx, func(d *data) error {
		for _, r := range d.registry {
			if r.Kind == kind && r.ID > after {
				found = append(found, cloneRecord(r))
			}
		}
		slices.SortFunc(found, func(a, b store.Record) int { return cmp.Compare(a.ID, b.ID) })
		found = list(found[:min(len(found), max(limit, 0))])
		return nil
	})
	return found, err
}

func (s registry) Delete(ctx context.Context, kind, id string, version int64) error {
	return s.step(ctx, func(d *data) error {
		key := [2]string{kind, id}
		r, ok := d.registry[key]
		if !ok {
			return nil
		}
		if version != 0 && r.Version != version {
			return store.ErrConflict
		}
		drop(d, d.registry, key)
		return nil
	})
}
