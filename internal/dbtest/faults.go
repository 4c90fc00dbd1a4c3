package dbtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

const (
	patience = time.Second
	usual    = 5 * time.Second // as in production
)

// Faults holds a store to what it does when the network or the server fails. open opens a store on a new database of a
// server that is reached at an address.
func Faults(t *testing.T, server *Server, open func(t *testing.T, address string, statementTimeout time.Duration) store.Store) {
	t.Run("connections are cut", func(t *testing.T) {
		p := NewProxy(t, server.Address())
		s := open(t, p.Address, patience)
		Load(t, s, func() {
			for range 20 {
				after(50 * time.Millisecond)
				p.Cut()
			}
		})
	})
	t.Run("the network is slow", func(t *testing.T) {
		p := NewProxy(t, server.Address())
		s := open(t, p.Address, usual)
		p.Slow(100 * time.Millisecond)
		Load(t, s, func() { after(time.Second) })
	})
	t.Run("nothing comes back", func(t *testing.T) {
		p := NewProxy(t, server.Address())
		s := open(t, p.Address, patience)
		swallowed(t, p, s)
	})
	t.Run("the server is killed and started again", func(t *testing.T) {
		s := open(t, server.Address(), patience)
		Load(t, s, func() {
			for range 2 {
				after(500 * time.Millisecond)
				server.Kill()
				after(300 * time.Millisecond)
				if err := server.Start(); err != nil {
					t.Error(err)
				}
			}
			after(500 * time.Millisecond)
		})
	})
}

// swallowed wants an error within the statement timeout, and an end of the errors with the end of the hole.
func swallowed(t *testing.T, p *Proxy, s store.Store) {
	const most = 2 * patience // the timeout, and a rollback that is not answered either
	p.Swallow()
	for name, call := range map[string]func(context.Context) error{
		"read":  s.Ping,
		"write": func(ctx context.Context) error { return s.Registry().Put(ctx, store.Record{Kind: "k", ID: "w"}) },
		"do": func(ctx context.Context) error {
			return s.Do(ctx, func(tx store.Tx) error { return tx.Registry().Put(ctx, store.Record{Kind: "k", ID: "d"}) })
		},
	} {
		began := time.Now()
		err := call(t.Context())
		if took := time.Since(began); err == nil || took > most+patience/2 {
			t.Errorf("%s: %v after %s, want an error within %s", name, err, took, most)
		}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: a fault became a decision: %v", name, err)
		}
	}
	brief, cancel := context.WithTimeout(t.Context(), patience/10)
	defer cancel()
	if err := s.Ping(brief); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's time is not respected: %v", err)
	}
	p.Pass()
	recovered(t, s)
	if err := s.Registry().Put(t.Context(), store.Record{Kind: "k", ID: "after"}); err != nil {
		t.Error(err)
	}
}

// after lets a fault last.
func after(d time.Duration) { <-time.After(d) }
