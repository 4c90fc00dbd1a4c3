// Package mysql keeps everything in MySQL or MariaDB, for any number of nodes.
//
// It owns the connections, what an error of the server means, and the migrations. The statements and what they mean are in
// internal/sqlstore, the contract in package store. It does not own the server.
package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

// Config names a database. Only URL is needed.
type Config struct {
	// URL is mysql://user:password@host:3306/database?tls=true, or mariadb://…; tls may also be false, or skip-verify (which
	// stops nobody who is in between). With ca=FILE the server's certificate must come from that authority.
	URL string
	// MaxConns bounds the connections of this process. Default: 4 for each core, at most 32.
	MaxConns int
	// StatementTimeout bounds every statement. Default 5 s.
	StatementTimeout time.Duration
}

// Store implements store.Store and store.Volatile. It is safe for concurrent use.
type Store struct {
	*sqlstore.DB
	db *sql.DB
}

// Open connects, and brings the schema up to date. Its errors are one line and hold no secret.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, c Config) (*Store, error) {
	timeout := cmp.Or(c.StatementTimeout, 5*time.Second)
	t, err := parse(c.URL, timeout)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(t)
	sqlstore.Bound(db, c.MaxConns, idle/2)
	err = greet(ctx, db, timeout)
	if err == nil {
		err = migrate(ctx, c.URL)
	}
	if err != nil {
		return nil, errors.Join(t.explain(err), db.Close())
	}
	engine := sqlstore.Engine{Begin: `START TRANSACTION`, Dialect: sqlstore.MySQL, Judge: judge, Taken: true}
	pool := sqlstore.NewPool(db, engine, timeout)
	return &Store{DB: sqlstore.New(pool, pool), db: db}, nil
}

// Close closes the connections. Let operations finish before.
func (s *Store) Close() error { return s.db.Close() }

// greet refuses servers that are older than what is tested.
func greet(ctx context.Context, db *sql.DB, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var version string
	if err := db.QueryRowContext(ctx, `SELECT VERSION()`).Scan(&version); err != nil {
		return err
	}
	return checkVersion(version)
}

func checkVersion(version string) error {
	name, least := "MySQL", [2]int{8, 0}
	if strings.Contains(version, "MariaDB") {
		name, least = "MariaDB", [2]int{10, 5}
		version = strings.TrimPrefix(version, "5.5.5-")
	}
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return fmt.Errorf("server has the unknown version %q", version)
	}
	major, _ := strconv.Atoi(parts[0])
	minor, _ := strconv.Atoi(parts[1])
	if major < least[0] || major == least[0] && minor < least[1] {
		return fmt.Errorf("server is %s %d.%d, %d.%d or newer is needed", name, major, minor, least[0], least[1])
	}
	return nil
}
