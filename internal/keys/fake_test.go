package keys_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/ostiary/ostiary/store"
)

// registry is the part of a store that keys live in, to the letter of its contract.
type registry struct {
	store.Store
	mu      sync.Mutex
	records map[string]store.Record
}

func newRegistry() *registry { return &registry{records: make(map[string]store.Record)} }

func (r *registry) Registry() store.Registry { return r }

func (r *registry) Do(_ context.Context, fn func(store.Tx) error) error { return fn(r) }

func (r *registry) Put(_ context.Context, rec store.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.records[rec.Kind+"/"+rec.ID]
	if !ok && rec.Version != 0 {
		return store.ErrNotFound
	}
	if old.Version != rec.Version {
		return store.ErrConflict
	}
	rec.Version++
	rec.Data = bytes.Clone(rec.Data)
	r.records[rec.Kind+"/"+rec.ID] = rec
	return nil
}

func (r *registry) Get(_ context.Context, kind, id string) (store.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, ok := r.records[kind+"/"+id]
	if !ok {
		return store.Record{}, store.ErrNotFound
	}
	return rec, nil
}

func (r *registry) List(ctx context.Context, kind, after string, limit int) ([]store.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []store.Record
	for _, rec := range r.records {
		if rec.Kind == kind && rec.ID > after {
			out = append(out, rec)
		}
	}
	slices.SortFunc(out, func(a, b store.Record) int { return strings.Compare(a.ID, b.ID) })
	return out[:min(limit, len(out))], ctx.Err()
}

func (r *registry) Delete(_ context.Context, kind, id string, version int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, ok := r.records[kind+"/"+id]
	if ok && version != 0 && rec.Version != version {
		return store.ErrConflict
	}
	delete(r.records, kind+"/"+id)
	return nil
}
