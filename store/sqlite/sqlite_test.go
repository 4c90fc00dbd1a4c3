package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
	"github.com/ostiary/ostiary/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (store.Store, store.Volatile) {
		s := open(t, filepath.Join(t.TempDir(), "ostiary.db"))
		return s, s
	})
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
