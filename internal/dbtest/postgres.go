package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Password is that of the user "ostiary" on all servers.
const Password = "correct horse"

// Postgres is a PostgreSQL for a package's tests.
type Postgres struct {
	Servers
	server *Server
}

// Server starts the server when it is needed for the first time.
func (p *Postgres) Server(t testing.TB) *Server {
	t.Helper()
	return p.get(t, &p.server, newPostgres)
}

// Database makes an empty database and returns its URL.
func (p *Postgres) Database(t testing.TB) string {
	t.Helper()
	s := p.Server(t)
	db := name()
	Exec(t, "pgx", s.PostgresURL("postgres"), `CREATE DATABASE `+db)
	return s.PostgresURL(db)
}

// PostgresURL names a database of the server.
func (s *Server) PostgresURL(database string) string { return PostgresURL(s.Address(), database) }

// PostgresURL names a database at an address.
func PostgresURL(address, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("ostiary", Password), Host: address, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

func newPostgres(dir string, port int) (*Server, error) {
	const debian = "/usr/lib/postgresql/*/bin"
	initdb, err := find("initdb", debian)
	if err != nil {
		return nil, err
	}
	postgres, err := find("postgres", debian)
	if err != nil {
		return nil, err
	}
	secret, data := filepath.Join(dir, "secret"), filepath.Join(dir, "data")
	if err := os.WriteFile(secret, []byte(Password), 0o644); err != nil {
		return nil, err
	}
	if err := run(dir, initdb, "-D", data, "-U", "ostiary", "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "-N"); err != nil {
		return nil, err
	}
	if err := relax(filepath.Join(data, "postgresql.conf")); err != nil {
		return nil, err
	}
	return &Server{
		command: []string{
			postgres, "-D", data, "-p", strconv.Itoa(port), "-k", dir, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300",
			"-c", "shared_buffers=64MB",
		},
		ready: func(ctx context.Context, port int) error {
			return ping(ctx, "pgx", PostgresURL(fmt.Sprintf("127.0.0.1:%d", port), "postgres"))
		},
	}, nil
}

// relax makes the server trust the system to keep what it wrote: what a killed process wrote stays.
func relax(settings string) error {
	f, err := os.OpenFile(settings, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("fsync = off\n")
	return errors.Join(err, f.Close())
}

func ping(ctx context.Context, driver, source string) error {
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(ctx)
}

// Exec runs statements on a connection of its own.
func Exec(t testing.TB, driver, source string, statements ...string) {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Number reads one number on a connection of its own.
func Number(t testing.TB, driver, source, query string) (n int64) {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
