// Package follow keeps a node's caches honest: it reads the revocation log and tells what was revoked or changed, and it
// knows whether that knowledge is current. It decides nothing about sessions or tokens.
package follow

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Every and Stale are the bounds that are promised (R23): the position is confirmed at least every Every, and nothing is
// decided from a cache when the last confirmation is older than Stale.
const (
	Every = 250 * time.Millisecond
	Stale = time.Second
)

const page = 1000

// Follower reads the log of one store.
type Follower struct {
	log      store.Log
	slog     *slog.Logger
	onChange func([]store.Entry)
	onReset  func()

	mu        sync.Mutex // one reader at a time
	pos       atomic.Pointer[store.Position]
	revoked   Set
	confirmed atomic.Int64 // nanoseconds on the monotonic clock since start; negative: never
	start     time.Time
}

// New makes a follower. onChange receives entries in order, before any decision is taken that they concern; onReset says
// that the log has another incarnation and that nothing cached means anything any more.
func New(log store.Log, logger *slog.Logger, onChange func([]store.Entry), onReset func()) *Follower {
	f := &Follower{log: log, slog: logger, onChange: onChange, onReset: onReset, start: time.Now()}
	f.revoked.clear()
	f.confirmed.Store(-1)
	f.pos.Store(&store.Position{Seq: -1})
	return f
}

// Run confirms the position until ctx ends, and whenever it is woken. Waking is a hint: nothing depends on it (R23).
func (f *Follower) Run(ctx context.Context, wake <-chan struct{}) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-wake:
			if !open {
				wake = nil
			}
		case <-tick.C:
		}
		if err := f.Sync(ctx); err != nil && ctx.Err() == nil {
			f.slog.Warn("the revocation log cannot be read", "error", err)
		}
	}
}

// Sync reads to the end of the log as it is now. After it, everything that was committed before the call is known.
func (f *Follower) Sync(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	missed := false // an entry expired and was removed before it was read
	for {
		pos := *f.pos.Load()
		asked := time.Since(f.start)
		entries, head, err := f.log.After(ctx, max(pos.Seq, 0), page)
		if err != nil {
			return err
		}
		if pos.Seq >= 0 && (head.Incarnation != pos.Incarnation || head.Seq < pos.Seq) {
			f.reset(head)
			continue
		}
		f.revoked.add(entries)
		if len(entries) > 0 && pos.Seq >= 0 {
			f.onChange(entries)
		}
		next := store.Position{Incarnation: head.Incarnation, Seq: head.Seq}
		if len(entries) == page {
			next.Seq = entries[page-1].Seq
		}
		missed = missed || pos.Seq >= 0 && next.Seq-pos.Seq != int64(len(entries))
		f.pos.Store(&next)
		if len(entries) < page {
			if missed {
				f.slog.Warn("entries of the revocation log expired before they were read; every cached decision is dropped")
				f.onReset()
			}
			f.confirmed.Store(int64(asked))
			return nil
		}
	}
}

// reset forgets everything; the next round reads the log of the new incarnation from its start. The incarnation is known
// before the caches are dropped: what is remembered from then on was made with it.
func (f *Follower) reset(head store.Position) {
	f.slog.Warn("the revocation log has begun again; every cached decision is dropped")
	f.confirmed.Store(-1)
	f.pos.Store(&store.Position{Incarnation: head.Incarnation, Seq: -1})
	f.revoked.clear()
	f.onReset()
}

// Current returns nil when the log was confirmed no longer than Stale ago, and otherwise confirms it now. An error means
// that nothing may be decided from a cache.
func (f *Follower) Current(ctx context.Context) error {
	if at := f.confirmed.Load(); at >= 0 && time.Since(f.start)-time.Duration(at) <= Stale {
		return nil
	}
	return f.Sync(ctx)
}

// Doubt makes the next decision read through: something was committed whose entries could not be read back.
func (f *Follower) Doubt() { f.confirmed.Store(-1) }

// Incarnation is that of the log; hashes are made with it.
func (f *Follower) Incarnation() [16]byte { return f.pos.Load().Incarnation }

// Revoked is the set of revoked tokens, grants, clients and keys.
func (f *Follower) Revoked() *Set { return &f.revoked }

// Set holds the live entries of the kinds that concern tokens.
type Set struct {
	mu      sync.RWMutex
	entries map[[16]byte]time.Time
	version atomic.Uint64
}

// Version changes whenever something was added: a decision that was made at a version holds until it changes.
func (s *Set) Version() uint64 { return s.version.Load() }

// HasAny says whether one of the hashes was revoked.
func (s *Set) HasAny(hashes ...[16]byte) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, h := range hashes {
		if _, ok := s.entries[h]; ok {
			return true
		}
	}
	return false
}

// Len is the number of live entries.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.entries)
}

// Trim forgets entries that expired before t: no token that they concern can still be valid.
func (s *Set) Trim(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h, expires := range s.entries {
		if expires.Before(t) {
			delete(s.entries, h)
		}
	}
}

func (s *Set) add(entries []store.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		if e.Kind <= store.KindKey {
			s.entries[e.Hash] = e.ExpiresAt
			s.version.Add(1)
		}
	}
}

func (s *Set) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = map[[16]byte]time.Time{}
	s.version.Add(1)
}
