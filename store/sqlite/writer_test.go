package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
)

// together runs operations so that they share a batch: the first holds its turn until all the others stand in line.
func together(t *testing.T, s *sqlite.Store, ops ...func() error) []error {
	t.Helper()
	entered, release := make(chan struct{}), make(chan struct{})
	enter := sync.OnceFunc(func() { close(entered) }) // the function may run again
	var first, group sync.WaitGroup
	first.Go(func() {
		err := s.Do(t.Context(), func(store.Tx) error {
			enter()
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-entered
	errs := make([]error, len(ops))
	for i, op := range ops {
		group.Go(func() { errs[i] = op() })
	}
	for s.InLine() < len(ops) {
		runtime.Gosched()
	}
	close(release)
	group.Wait()
	first.Wait()
	return errs
}

func put(t *testing.T, s *sqlite.Store, id string) func() error {
	return func() error { return s.Registry().Put(t.Context(), store.Record{Kind: "k", ID: id}) }
}

func TestOneFailureDisturbsNobody(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	reason := errors.New("reason")
	var ops []func() error
	for i := range 20 {
		ops = append(ops, put(t, s, fmt.Sprint(i)))
	}
	ops[7] = func() error {
		return s.Do(t.Context(), func(tx store.Tx) error {
			_ = tx.Registry().Put(t.Context(), store.Record{Kind: "k", ID: "failed"})
			return reason
		})
	}
	ops[9] = func() (err error) {
		defer func() { err = fmt.Errorf("panic: %v", recover()) }()
		return s.Do(t.Context(), func(tx store.Tx) error {
			_ = tx.Registry().Put(t.Context(), store.Record{Kind: "k", ID: "panicked"})
			panic("ouch")
		})
	}
	for i, err := range together(t, s, ops...) {
		switch i {
		case 7:
			if err != reason {
				t.Errorf("error is %v, want that of the function", err)
			}
		case 9:
			if err == nil || err.Error() != "panic: ouch" {
				t.Errorf("the panic did not reach its caller: %v", err)
			}
		default:
			if err != nil {
				t.Errorf("operation %d: %v", i, err)
			}
		}
	}
	if records, err := s.Registry().List(t.Context(), "k", "", 100); err != nil || len(records) != 18 {
		t.Errorf("%d records, want 18 (error %v)", len(records), err)
	}
}

// TestLostTransaction: an operation that makes SQLite give up the whole transaction costs the others only a second run.
func TestLostTransaction(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	ops := []func() error{put(t, s, "a"), put(t, s, "b"), put(t, s, "c"), put(t, s, "d")}
	ops = append(ops, func() error {
		return s.Do(t.Context(), func(tx store.Tx) error {
			_ = tx.Registry().Put(t.Context(), store.Record{Kind: "k", ID: "lost"})
			return s.Exec(t.Context(), `ROLLBACK`)
		})
	})
	errs := together(t, s, ops...)
	for i, err := range errs[:4] {
		if err != nil {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if errs[4] == nil {
		t.Error("the lost operation was acknowledged")
	}
	if records, err := s.Registry().List(t.Context(), "k", "", 100); err != nil || len(records) != 4 {
		t.Errorf("%d records, want 4 (error %v)", len(records), err)
	}
}

func TestCancelledInLineNeverRuns(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	err := s.Do(t.Context(), func(store.Tx) error {
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error)
		go func() {
			answer <- s.Do(ctx, func(store.Tx) error {
				t.Error("it ran")
				return nil
			})
		}()
		for s.InLine() < 1 {
			runtime.Gosched()
		}
		cancel()
		return <-answer // while the turn is still ours
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "db"))
	pages, err := s.Number(t.Context(), `PRAGMA page_count`)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Exec(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+4)); err != nil {
		t.Fatal(err)
	}
	big := func() error {
		return s.Do(t.Context(), func(tx store.Tx) error {
			_ = tx.Registry().Put(t.Context(), store.Record{Kind: "k", ID: "small before"})
			_ = tx.Registry().Put(t.Context(), store.Record{Kind: "k", ID: "big", Data: make([]byte, 100_000)})
			_ = tx.Registry().Put(t.Context(), store.Record{Kind: "k", ID: "small after"})
			return nil // even a function that looks away is not acknowledged
		})
	}
	errs := together(t, s, put(t, s, "a"), big, put(t, s, "b"))
	if errs[0] != nil || !errors.Is(errs[1], sqlite.ErrFull) || errs[2] != nil {
		t.Fatalf("errors are %v", errs)
	}
	if strings.Contains(errs[1].Error(), "\n") {
		t.Errorf("the error has more than one line: %q", errs[1])
	}
	if records, err := s.Registry().List(t.Context(), "k", "", 100); err != nil || len(records) != 2 {
		t.Errorf("%d records, want 2 (error %v)", len(records), err)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	s, err := sqlite.OpenImpatient(t.Context(), path, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	foreign(t, path, `BEGIN IMMEDIATE`)
	if err := put(t, s, "a")(); !errors.Is(err, sqlite.ErrBusy) {
		t.Errorf("error is %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("a reader waits for a writer: %v", err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if put(t, s, "a")() == nil || s.Ping(t.Context()) == nil {
		t.Error("a closed store answers")
	}
}
