package dbtest

import (
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Migrate opens several stores on one empty database at once.
func Migrate(t *testing.T, open func() (store.Store, error)) {
	t.Helper()
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			s, err := open()
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Registry().Put(t.Context(), store.Record{Kind: "node", ID: ID()}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if list, err := s.Registry().List(t.Context(), "node", "", 100); err != nil || len(list) != 6 {
		t.Errorf("%d nodes wrote (%v)", len(list), err)
	}
}

// LaterCommitGoesFirst holds a transaction open that has an entry for the log, and wants a later one to pass it and to have
// the lower number (R19).
func LaterCommitGoesFirst(t *testing.T, s store.Store) {
	t.Helper()
	first := store.Entry{Kind: store.KindGrant, Hash: [16]byte{1}, ExpiresAt: time.Now().Add(time.Hour)}
	later := store.Entry{Kind: store.KindGrant, Hash: [16]byte{2}, ExpiresAt: time.Now().Add(time.Hour)}
	err := s.Do(t.Context(), func(tx store.Tx) error {
		if err := tx.Log().Append(t.Context(), first); err != nil {
			return err
		}
		if err := tx.Registry().Put(t.Context(), store.Record{Kind: "k", ID: "id"}); err != nil {
			return err
		}
		return s.Log().Append(t.Context(), later)
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := s.Log().After(t.Context(), 0, 10)
	if err != nil || len(got) != 2 || got[0].Hash != later.Hash || got[1].Hash != first.Hash {
		t.Errorf("the log is %v (%v)", got, err)
	}
}
