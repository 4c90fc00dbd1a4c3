package mysql_test

import (
	"os"
	"testing"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/mysql"
	"github.com/ostiary/ostiary/store/storetest"
)

var database dbtest.MariaDB

func TestMain(m *testing.M) { os.Exit(database.Main(m)) }

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (store.Store, store.Volatile) {
		s := open(t, mysql.Config{URL: database.Database(t)})
		return s, s
	})
}

func open(t testing.TB, c mysql.Config) *mysql.Store {
	t.Helper()
	s, err := mysql.Open(t.Context(), c)
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
