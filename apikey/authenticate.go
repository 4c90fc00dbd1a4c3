package apikey

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// liveKey is a key that was read from the store, with its owner as he was then.
type liveKey struct {
	id, lookup string
	expires    int64 // microseconds; 0: never
	principal  *ostiary.Principal
	meter      *meter
}

// meter counts the uses of one key on this node. It outlives what is remembered of the key.
type meter struct {
	full  atomic.Int64 // when the limit is unused again, in microseconds: the state of store.Rate.Step
	noted atomic.Int64 // the last use that was handed on to be written, in microseconds
}

// Authenticate knows a key as a bearer token or in X-API-Key, and nowhere else: never in an address.
func (p *Part) Authenticate(ctx context.Context, r *http.Request) (*ostiary.Principal, error) {
	text, ok := presented(r)
	if !ok {
		return nil, ostiary.ErrNoCredentials
	}
	k, err := p.key(ctx, text)
	if err != nil {
		return nil, err
	}
	now := p.engine.Now()
	if k.expires != 0 && now.UnixMicro() >= k.expires {
		return nil, errExpired
	}
	if wait := k.meter.take(p.rate, now); wait > 0 && p.limited {
		return nil, errRate.After(wait)
	}
	p.note(k, now)
	return k.principal, nil
}

func presented(r *http.Request) (string, bool) {
	if list := r.Header["X-Api-Key"]; len(list) == 1 {
		return list[0], true
	}
	list := r.Header["Authorization"]
	if len(list) != 1 {
		return "", false
	}
	scheme, text, _ := strings.Cut(list[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(text, "ost_") {
		return "", false
	}
	return text, true
}

// key answers from memory as long as nothing happened to the owner or to any credential of his.
func (p *Part) key(ctx context.Context, text string) (*liveKey, error) {
	if k, ok := p.cache.Get(text); ok {
		same, err := p.engine.Unchanged(ctx, k.principal)
		if err != nil {
			return nil, err
		}
		if same {
			return k, nil
		}
	}
	if !wellFormed(text) {
		return nil, errInvalid
	}
	return p.load(ctx, strings.Clone(text))
}

// load reads a key: whose it is, the owner, and then the key once more, so that what it says is at least as new as what is
// remembered of the owner.
func (p *Part) load(ctx context.Context, text string) (*liveKey, error) {
	hash := lookup(text)
	c, _, err := p.stored(ctx, hash)
	if err != nil {
		return nil, err
	}
	owner := c.UserID
	principal, err := p.engine.Act(ctx, owner, nil)
	if err != nil {
		return nil, err
	}
	version := p.cache.Version()
	c, rec, err := p.stored(ctx, hash)
	if err != nil {
		return nil, err
	}
	if c.UserID != owner {
		return nil, errInvalid
	}
	if rec.Suspended {
		return nil, errSuspended
	}
	principal.Scopes = rec.Scopes
	k := &liveKey{id: c.ID, lookup: hash, principal: principal, meter: p.meter(c.ID, rec.LastUsed)}
	if !rec.ExpiresAt.IsZero() {
		k.expires = rec.ExpiresAt.UnixMicro()
	}
	p.cache.Put(text, k, version)
	return k, nil
}

func (p *Part) stored(ctx context.Context, hash string) (ostiary.Credential, record, error) {
	c, err := p.engine.Credentials.ByLookup(ctx, hash)
	if missing(err) {
		return c, record{}, errInvalid
	}
	if err != nil {
		return c, record{}, err
	}
	r, err := read(c)
	return c, r, err
}

func (p *Part) meter(id string, used time.Time) *meter {
	if m, ok := p.meters.Get(id); ok {
		return m
	}
	version := p.meters.Version()
	m := &meter{}
	if !used.IsZero() {
		m.noted.Store(used.UnixMicro())
	}
	p.meters.Put(id, m, version)
	return m
}

// take uses one unit, and otherwise says how long to wait.
func (m *meter) take(rate store.Rate, now time.Time) time.Duration {
	for {
		before := m.full.Load()
		next, got := rate.Step(time.UnixMicro(before), now)
		if !got.OK {
			return max(got.RetryAfter, time.Millisecond)
		}
		if m.full.CompareAndSwap(before, next.UnixMicro()) {
			return 0
		}
	}
}
