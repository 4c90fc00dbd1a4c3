package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
)

func keep(t testing.TB, s *sqlite.Store, id string) {
	t.Helper()
	if err := s.Registry().Put(t.Context(), store.Record{Kind: "k", ID: id}); err != nil {
		t.Fatal(err)
	}
}

// holds says which records a database has, and closes it again.
func holds(t testing.TB, path string) string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list, err := s.Registry().List(t.Context(), "k", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, r := range list {
		names += r.ID + " "
	}
	return names
}

// made is a closed database with one record.
func made(t testing.TB, id string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, s, id)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplace(t *testing.T) {
	t.Parallel()
	path, from := made(t, "old"), made(t, "new")
	e, err := sqlite.OpenExclusive(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if empty, err := e.Empty(t.Context()); empty || err != nil {
		t.Errorf("empty: %v, %v", empty, err)
	}
	if err := e.CopyTo(t.Context(), path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := e.Replace(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path); !errors.Is(err, sqlite.ErrBusy) {
		t.Errorf("somebody may open it meanwhile: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if got := holds(t, path); got != "new " {
		t.Errorf("it holds %q", got)
	}
	if got := holds(t, path+".old"); got != "old " {
		t.Errorf("the copy holds %q", got)
	}
}

func TestReplaceNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	e, err := sqlite.OpenExclusive(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if empty, err := e.Empty(t.Context()); !empty || err != nil {
		t.Errorf("empty: %v, %v", empty, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("locking made a database: %v", err)
	}
	if err := errors.Join(e.Replace(t.Context(), made(t, "new")), e.Close()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v, %v", info, err)
	}
	if got := holds(t, path); got != "new " {
		t.Errorf("it holds %q", got)
	}
}

func TestExclusiveIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	keep(t, s, "kept")
	if _, err := sqlite.OpenExclusive(t.Context(), path); !errors.Is(err, sqlite.ErrBusy) {
		t.Fatalf("a server has it open, yet: %v", err)
	}
	keep(t, s, "later") // and the server goes on
}

// TestSnapshotDuringAStormOfWrites: everything that was acknowledged before is in it, and nothing is half there.
func TestSnapshotDuringAStormOfWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	ctx, stop := context.WithCancel(t.Context())
	var acknowledged [4]atomic.Int64
	var group sync.WaitGroup
	for w := range acknowledged {
		group.Go(func() {
			for i := 1; ctx.Err() == nil; i++ {
				err := s.Do(ctx, func(tx store.Tx) error {
					for _, kind := range []string{"one", "two"} {
						if err := tx.Registry().Put(ctx, store.Record{Kind: kind, ID: fmt.Sprintf("%d-%06d", w, i)}); err != nil {
							return err
						}
					}
					return nil
				})
				if err == nil {
					acknowledged[w].Store(int64(i))
				}
			}
		})
	}
	for round := range 5 {
		var before [4]int64
		for w := range before {
			before[w] = acknowledged[w].Load()
		}
		to := filepath.Join(t.TempDir(), fmt.Sprint(round))
		if err := sqlite.Snapshot(t.Context(), path, to); err != nil {
			t.Fatal(err)
		}
		checkSnapshot(t, to, before)
	}
	stop()
	group.Wait()
}

func checkSnapshot(t *testing.T, path string, before [4]int64) {
	t.Helper()
	copied := open(t, path)
	for w, n := range before {
		for i := int64(1); i <= n; i++ {
			if _, err := copied.Registry().Get(t.Context(), "one", fmt.Sprintf("%d-%06d", w, i)); err != nil {
				t.Fatalf("write %d-%06d was acknowledged, but: %v", w, i, err)
			}
		}
	}
	one, err := copied.Registry().List(t.Context(), "one", "", 1_000_000)
	two, err2 := copied.Registry().List(t.Context(), "two", "", 1_000_000)
	if err := errors.Join(err, err2); err != nil || len(one) != len(two) {
		t.Errorf("a transaction is half there: %d and %d, %v", len(one), len(two), err)
	}
}
