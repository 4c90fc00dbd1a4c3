package keys

import (
	"context"
	"fmt"

	"github.com/ostiary/ostiary/store"
)

// Revoke takes a key away at once: it signs nothing more and verifies nothing more. If it was the one that signs, another
// is made that signs at once, so verifiers with a cached key set have to fetch it again. store.ErrNotFound: no such key.
func (r *Rotator) Revoke(ctx context.Context, kid string) error {
	err := r.cfg.Store.Do(ctx, func(tx store.Tx) error { return r.RevokeTx(ctx, tx, kid) })
	if err != nil {
		return err
	}
	return r.Load(ctx)
}

// RevokeTx is Revoke within a transaction, so that the key and its log entry go together. The caller calls Load after the
// commit; other nodes do so when they meet the entry. Revoking twice is no error.
//
// A key that has signed leaves a mark without its private part, so that no earlier key takes over its period.
func (r *Rotator) RevokeTx(ctx context.Context, tx store.Tx, kid string) error {
	links, err := r.cfg.read(ctx, tx.Registry())
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.KeyID == kid {
			return r.revoke(ctx, tx.Registry(), l)
		}
	}
	return fmt.Errorf("revoke signing key: %w", store.ErrNotFound)
}

func (r *Rotator) revoke(ctx context.Context, registry store.Registry, l link) error {
	if l.revoked() {
		return nil
	}
	if r.now().Before(l.Sign) {
		if err := registry.Delete(ctx, l.record.Kind, l.record.ID, l.record.Version); err != nil {
			return fmt.Errorf("revoke signing key: %w", err)
		}
		return nil
	}
	mark := l.saved
	mark.Private = nil
	rec, err := r.cfg.seal(mark, l.record.ID, l.record.Version)
	if err != nil {
		return err
	}
	if err := registry.Put(ctx, rec); err != nil {
		return fmt.Errorf("revoke signing key: %w", err)
	}
	return nil
}
