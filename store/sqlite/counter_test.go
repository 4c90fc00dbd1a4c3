package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

// TestR37_ARefusalWritesNothing: a unit that is taken is one commit, however many rates it is taken from, and a refusal is
// none. Another connection sees the number of commits.
func TestR37_ARefusalWritesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	version := func() (n int64) {
		t.Helper()
		if err := db.QueryRow(`PRAGMA data_version`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	now := time.Now()
	rates := []store.Rate{{Burst: 2, Every: time.Minute}, {Burst: 3, Every: time.Hour}, {Burst: 9, Every: 24 * time.Hour}}
	for i, want := range []bool{true, true, false, false} {
		before := version()
		got, err := s.Counters().Take(t.Context(), "k", now, rates...)
		if err != nil || got.OK != want {
			t.Fatalf("%d: %+v, %v", i, got, err)
		}
		if wrote := version() != before; wrote != want {
			t.Errorf("%d: wrote is %t, want %t", i, wrote, want)
		}
	}
}
