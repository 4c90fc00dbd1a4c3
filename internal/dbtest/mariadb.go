package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
)

// MariaDB is a MariaDB for a package's tests.
type MariaDB struct {
	Servers
	server *Server
}

// Server starts the server when it is needed for the first time.
func (m *MariaDB) Server(t testing.TB) *Server {
	t.Helper()
	return m.get(t, &m.server, newMariaDB)
}

// Database makes an empty database and returns its URL.
func (m *MariaDB) Database(t testing.TB) string {
	t.Helper()
	s := m.Server(t)
	db := name()
	Exec(t, "mysql", root(s.Port), `CREATE DATABASE `+db, `CREATE USER IF NOT EXISTS ostiary IDENTIFIED BY '`+Password+`'`,
		`GRANT ALL ON `+db+`.* TO ostiary`)
	return MariaDBURL(s.Address(), db)
}

// Root names the server for [Exec] and [Number], as its administrator.
func (m *MariaDB) Root(t testing.TB) string { return root(m.Server(t).Port) }

// MariaDBURL names a database at an address.
func MariaDBURL(address, database string) string {
	u := url.URL{Scheme: "mysql", User: url.UserPassword("ostiary", Password), Host: address, Path: "/" + database}
	return u.String()
}

func root(port int) string { return fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port) }

func newMariaDB(dir string, port int) (*Server, error) {
	install, err := find("mariadb-install-db", "/usr/bin")
	if err != nil {
		return nil, err
	}
	if _, err := find("my_print_defaults", "/usr/bin"); err != nil { // which that script needs
		return nil, err
	}
	mariadbd, err := find("mariadbd", "/usr/sbin")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := run(dir, install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db"); err != nil {
		return nil, err
	}
	return &Server{
		command: []string{
			mariadbd, "--no-defaults", "--datadir=" + data, "--socket=" + filepath.Join(dir, "socket"), "--port=" + strconv.Itoa(port),
			"--bind-address=127.0.0.1", "--pid-file=" + filepath.Join(dir, "pid"), "--max-connections=300", "--innodb-buffer-pool-size=64M",
			"--innodb-flush-log-at-trx-commit=2", // what a killed process wrote stays
			"--skip-name-resolve",
		},
		ready: func(ctx context.Context, port int) error { return ping(ctx, "mysql", root(port)) },
	}, nil
}
