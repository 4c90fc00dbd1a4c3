package postgres_test

import (
	"os"
	"testing"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/postgres"
	"github.com/ostiary/ostiary/store/storetest"
)

var database dbtest.Postgres

func TestMain(m *testing.M) { os.Exit(database.Main(m)) }

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (store.Store, store.Volatile) {
		s := open(t, postgres.Config{URL: database.Database(t)})
		return s, s
	})
}

func open(t testing.TB, c postgres.Config) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), c)
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
