package apikey

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// The kinds of events of this part.
const (
	eventCreated   = "apikey.created"
	eventRotated   = "apikey.rotated"
	eventRevoked   = "apikey.revoked"
	eventSuspended = "apikey.suspended"
	eventConfirmed = "apikey.confirmed"
)

// List returns the owner's keys, the oldest first.
func (p *Part) List(ctx context.Context, ownerID string) ([]Key, error) {
	rows, err := p.engine.Credentials.Of(ctx, ownerID)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, 0, len(rows))
	for _, row := range rows {
		k, err := show(row)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Create makes a key in the transaction of whoever may do that.
func (p *Part) Create(ctx context.Context, t *ostiary.Tx, ownerID string, w Wish) (NewKey, error) {
	r, err := w.check(p.engine.Now())
	if err != nil {
		return NewKey{}, err
	}
	k, err := p.add(ctx, t, ownerID, r, w.Test)
	if err != nil {
		return k, err
	}
	return k, t.Emit(ctx, eventCreated, ownerID, map[string]string{"key": k.ID, "prefix": k.Prefix})
}

// add stores a new key. Of two at once one waits for the other, so that both count (Exclusive).
func (p *Part) add(ctx context.Context, t *ostiary.Tx, ownerID string, r record, test bool) (NewKey, error) {
	if err := t.Exclusive(ctx, ownerID); err != nil {
		return NewKey{}, ostiary.Found(err)
	}
	vault, _ := p.engine.In(t)
	if err := p.room(ctx, vault, ownerID); err != nil {
		return NewKey{}, err
	}
	text := newText(test)
	r.Prefix = text[:shownLen]
	data, err := r.write()
	if err != nil {
		return NewKey{}, err
	}
	c := ostiary.Credential{UserID: ownerID, Lookup: lookup(text), Data: data, CreatedAt: p.engine.Now()}
	if c.ID, err = vault.Create(ctx, c); err != nil {
		return NewKey{}, err
	}
	k, err := show(c)
	return NewKey{Key: k, Text: text}, err
}

// room forgets keys that expired long ago, and refuses one too many.
func (p *Part) room(ctx context.Context, vault *ostiary.Vault, ownerID string) error {
	rows, err := vault.Of(ctx, ownerID)
	if err != nil {
		return err
	}
	n := len(rows)
	for _, row := range rows {
		r, err := read(row)
		if err != nil {
			return err
		}
		if r.expired(p.engine.Now().Add(-keptDead)) {
			if err := vault.Delete(ctx, row); err != nil {
				return err
			}
			n--
		}
	}
	if n >= maxKeys {
		return errTooMany
	}
	return nil
}

// find reads one of the owner's keys.
func (p *Part) find(ctx context.Context, vault *ostiary.Vault, ownerID, id string) (ostiary.Credential, record, error) {
	rows, err := vault.Of(ctx, ownerID)
	if err != nil {
		return ostiary.Credential{}, record{}, err
	}
	i := slices.IndexFunc(rows, func(c ostiary.Credential) bool { return c.ID == id })
	if i < 0 {
		return ostiary.Credential{}, record{}, errNone
	}
	r, err := read(rows[i])
	return rows[i], r, err
}

// edit changes one of the owner's keys.
func (p *Part) edit(ctx context.Context, vault *ostiary.Vault, c ostiary.Credential, r record) error {
	var err error
	if c.Data, err = r.write(); err != nil {
		return err
	}
	return vault.Update(ctx, c)
}

// Revoke deletes one of the owner's keys: it works nowhere any more when the transaction is committed. not_found.
func (p *Part) Revoke(ctx context.Context, t *ostiary.Tx, ownerID, id string) error {
	vault, _ := p.engine.In(t)
	c, r, err := p.find(ctx, vault, ownerID, id)
	if err != nil {
		return err
	}
	if err := vault.Delete(ctx, c); err != nil {
		return err
	}
	return t.Emit(ctx, eventRevoked, ownerID, map[string]string{"key": id, "prefix": r.Prefix})
}

// rotate makes a new key of the same name, scopes and length of life; the old one works for the overlap, and no longer
// than it would have.
func (p *Part) rotate(ctx context.Context, t *ostiary.Tx, ownerID, id string, overlap time.Duration) (NewKey, error) {
	vault, _ := p.engine.In(t)
	c, old, err := p.find(ctx, vault, ownerID, id)
	if err != nil {
		return NewKey{}, err
	}
	now := p.engine.Now()
	if old.expired(now) || old.Suspended {
		return NewKey{}, errRotate
	}
	next := record{Name: old.Name, Scopes: old.Scopes}
	if !old.ExpiresAt.IsZero() {
		next.ExpiresAt = now.Add(old.ExpiresAt.Sub(c.CreatedAt))
	}
	test := old.Prefix[:len(testPrefix)] == testPrefix
	if end := now.Add(overlap); old.ExpiresAt.IsZero() || end.Before(old.ExpiresAt) {
		old.ExpiresAt = end
	}
	if err := p.edit(ctx, vault, c, old); err != nil {
		return NewKey{}, err
	}
	k, err := p.add(ctx, t, ownerID, next, test)
	if err != nil {
		return k, err
	}
	return k, t.Emit(ctx, eventRotated, ownerID, map[string]string{"key": id, "to": k.ID, "prefix": k.Prefix})
}

// Suspend stops the owner's young keys until he confirms them (R26). The engine calls it when somebody else may have been
// in the account.
func (p *Part) Suspend(ctx context.Context, t *ostiary.Tx, ownerID string) error {
	vault, _ := p.engine.In(t)
	rows, err := vault.Of(ctx, ownerID)
	if err != nil {
		return err
	}
	for _, c := range rows {
		r, err := read(c)
		if err != nil {
			return err
		}
		if r.Suspended || p.engine.Now().Sub(c.CreatedAt) >= youngKey {
			continue
		}
		r.Suspended = true
		if err := p.edit(ctx, vault, c, r); err != nil {
			return err
		}
		if err := t.Emit(ctx, eventSuspended, ownerID, map[string]string{"key": c.ID, "prefix": r.Prefix}); err != nil {
			return err
		}
	}
	return nil
}

func (p *Part) confirm(ctx context.Context, t *ostiary.Tx, ownerID, id string) error {
	vault, _ := p.engine.In(t)
	c, r, err := p.find(ctx, vault, ownerID, id)
	if err != nil || !r.Suspended {
		return err
	}
	r.Suspended = false
	if err := p.edit(ctx, vault, c, r); err != nil {
		return err
	}
	return t.Emit(ctx, eventConfirmed, ownerID, map[string]string{"key": id, "prefix": r.Prefix})
}

func missing(err error) bool { return errors.Is(err, store.ErrNotFound) }
