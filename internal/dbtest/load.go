package dbtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

// ID is a new UUID.
func ID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// Load writes to a store while disturb does something to its server, and then holds it to what it acknowledged: no write
// is lost, and no ticket was consumed twice.
func Load(t *testing.T, s store.Store, disturb func()) {
	t.Helper()
	const workers = 8
	all := make([]*worker, workers)
	var stop atomic.Bool
	var group sync.WaitGroup
	for i := range all {
		w := &worker{store: s, grant: ID()}
		all[i] = w
		g := store.Grant{ID: w.grant, ClientID: "machine", Generation: 1, ExpiresAt: time.Now().Add(time.Hour)}
		if err := s.Grants().Create(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		w.generation, w.acknowledged = 1, 1
		group.Go(func() {
			for !stop.Load() {
				w.rotate(t.Context())
				w.consume(t, t.Context())
				w.record(t.Context())
			}
		})
	}
	disturb()
	stop.Store(true)
	group.Wait()
	recovered(t, s)
	writes, faults := 0, 0
	for _, w := range all {
		w.check(t)
		writes, faults = writes+w.writes, faults+w.faults
	}
	t.Logf("%d acknowledged writes, %d faults", writes, faults)
	if writes == 0 {
		t.Error("nothing was written")
	}
}

// recovered waits until the store answers, without having been opened again.
func recovered(t *testing.T, s store.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		err := s.Ping(ctx)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the store does not recover: %v", err)
		}
	}
}

type worker struct {
	store                    store.Store
	grant                    string
	generation, acknowledged int64
	records                  []string
	writes, faults           int
}

func (w *worker) rotate(ctx context.Context) {
	now := time.Now()
	err := w.store.Grants().Rotate(ctx, store.Rotation{ID: w.grant, From: w.generation, At: now, ExpiresAt: now.Add(time.Hour)})
	switch {
	case err == nil:
		w.generation++
		w.acknowledged = w.generation
		w.writes++
	case errors.Is(err, store.ErrConflict): // an earlier one, whose answer was lost, had happened
		w.generation++
	default:
		w.faults++
	}
}

// consume lets two compete for a ticket until both know.
func (w *worker) consume(t *testing.T, ctx context.Context) {
	k := store.Ticket{Kind: "once", ExpiresAt: time.Now().Add(time.Hour)}
	rand.Read(k.Hash[:])
	if err := w.store.Tickets().Put(ctx, k); err != nil {
		w.faults++
		return
	}
	var wins atomic.Int32
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for range 50 {
				_, err := w.store.Tickets().Consume(ctx, k.Kind, k.Hash)
				if err == nil {
					wins.Add(1)
				}
				if errors.Is(err, store.ErrUsed) {
					return
				}
			}
		})
	}
	group.Wait()
	if n := wins.Load(); n > 1 {
		t.Errorf("a ticket was consumed %d times", n)
	}
	w.writes++
}

// record writes two records together.
func (w *worker) record(ctx context.Context) {
	id := ID()
	err := w.store.Do(ctx, func(tx store.Tx) error {
		return errors.Join(
			tx.Registry().Put(ctx, store.Record{Kind: "one", ID: id}),
			tx.Log().Append(ctx, store.Entry{Kind: store.KindGrant, ExpiresAt: time.Now().Add(time.Hour)}),
			tx.Registry().Put(ctx, store.Record{Kind: "two", ID: id}),
		)
	})
	if err != nil {
		w.faults++
		return
	}
	w.records = append(w.records, id)
	w.writes++
}

func (w *worker) check(t *testing.T) {
	g, err := w.store.Grants().Get(t.Context(), w.grant)
	if err != nil || g.Generation < w.acknowledged {
		t.Errorf("generation %d is stored, %d was acknowledged (%v)", g.Generation, w.acknowledged, err)
	}
	for _, id := range w.records {
		_, one := w.store.Registry().Get(t.Context(), "one", id)
		_, two := w.store.Registry().Get(t.Context(), "two", id)
		if err := errors.Join(one, two); err != nil {
			t.Errorf("an acknowledged write is lost: %v", err)
		}
	}
}
