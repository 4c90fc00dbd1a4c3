package apikey

import (
	"context"
	"errors"
	"time"

	"github.com/ostiary/ostiary/store"
)

const (
	maxPending = 10_000          // uses that wait to be written
	lastWrites = 5 * time.Second // for what is still to be written when the engine closes
)

// use is a key that was used.
type use struct {
	lookup string
	at     time.Time
}

// note remembers a use, at most once a minute for each key, and writes nothing itself. When too many wait it is left out:
// the next use is a new chance.
func (p *Part) note(k *liveKey, now time.Time) {
	before := k.meter.noted.Load()
	if now.UnixMicro()-before < noteEvery.Microseconds() || !k.meter.noted.CompareAndSwap(before, now.UnixMicro()) {
		return
	}
	p.uses.mu.Lock()
	full := len(p.uses.pending) >= maxPending
	if !full {
		p.uses.pending[k.id] = use{k.lookup, now}
	}
	p.uses.mu.Unlock()
	if full {
		k.meter.noted.Store(before)
		return
	}
	select {
	case p.uses.wake <- struct{}{}:
	default:
	}
}

// Work writes when keys were used, beside the requests. What waits when ctx ends is written before it returns.
func (p *Part) Work(ctx context.Context) {
	for {
		select {
		case <-p.uses.wake:
			p.writeUses(ctx)
		case <-ctx.Done():
			rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
			defer cancel()
			p.writeUses(rest)
			return
		}
	}
}

func (p *Part) writeUses(ctx context.Context) {
	p.uses.mu.Lock()
	pending := p.uses.pending
	p.uses.pending = map[string]use{}
	p.uses.mu.Unlock()
	for id, u := range pending {
		err := p.writeUse(ctx, u)
		if err == nil || missing(err) || errors.Is(err, store.ErrConflict) { // gone, or changed meanwhile: the next use is noted
			continue
		}
		if ctx.Err() != nil {
			p.uses.keep(id, u)
			continue
		}
		p.engine.Log.WarnContext(ctx, "the use of an API key could not be noted", "key", id, "error", err)
	}
}

// keep puts a use back that was not written because the engine is closing.
func (u *uses) keep(id string, one use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, newer := u.pending[id]; !newer {
		u.pending[id] = one
	}
}

// writeUse goes past the transaction that tells every node: when a key was used changes nothing about what it may do.
func (p *Part) writeUse(ctx context.Context, u use) error {
	c, r, err := p.stored(ctx, u.lookup)
	if errors.Is(err, errInvalid) {
		return nil
	}
	if err != nil || u.at.Sub(r.LastUsed) < noteEvery {
		return err // another node has noted one
	}
	r.LastUsed = u.at
	return p.edit(ctx, p.engine.Credentials, c, r)
}
