package mysql_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/mysql"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	var own dbtest.MariaDB // which is killed
	t.Cleanup(own.Stop)
	dbtest.Faults(t, own.Server(t), func(t *testing.T, address string, timeout time.Duration) store.Store {
		return open(t, mysql.Config{URL: through(t, address, own.Database(t)), StatementTimeout: timeout})
	})
}

// through names the same database at another address.
func through(t testing.TB, address, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = address
	return u.String()
}
