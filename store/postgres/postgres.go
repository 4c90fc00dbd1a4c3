// Package postgres keeps everything in PostgreSQL, for any number of nodes.
//
// It owns the connections, what an error of the server means, the migrations and the hints that the log grew. The
// statements and what they mean are in internal/sqlstore, the contract in package store. It does not own the server: its
// backups, its replication and who may connect are its operator's.
package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

// Config names a database. Only URL is needed.
type Config struct {
	// URL is postgres://user:password@host:5432/database?sslmode=verify-full, with the parameters of libpq. Behind a pooler
	// that shares connections by transaction (PgBouncer), add pool_mode=transaction.
	URL string
	// Direct is a URL that reaches the server without such a pooler: for hints that the log grew. Default: URL, if it has
	// no pool_mode.
	Direct string
	// Replica is the URL of a copy that may lag. Lists of people and events are read there, and nothing else ever.
	Replica string
	// MaxConns bounds the connections of this process. Default: 4 for each core, at most 32.
	MaxConns int
	// StatementTimeout bounds every statement. Default 5 s.
	StatementTimeout time.Duration
}

// Store implements store.Store, store.Volatile and store.Waker. It is safe for concurrent use.
type Store struct {
	*sqlstore.DB
	pools  []*sql.DB
	direct *pgx.ConnConfig // nil: there is none
}

// Open connects, and brings the schema up to date. Its errors are one line and hold no secret.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, c Config) (_ *Store, err error) {
	main, err := parse(c.URL, c.timeout())
	if err != nil {
		return nil, err
	}
	s := &Store{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	db := s.pool(main, c)
	server, err := greet(ctx, db, c.timeout())
	if err != nil {
		return nil, main.explain(err)
	}
	if s.direct, err = c.direct(main); err != nil {
		return nil, err
	}
	if err := migrate(ctx, main); err != nil {
		return nil, main.explain(err)
	}
	engine := sqlstore.Engine{Begin: `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`, Dialect: server.dialect, Judge: judge}
	primary := sqlstore.NewPool(db, engine, c.timeout())
	var lagging sqlstore.Backend = primary
	if c.Replica != "" {
		replica, err := parse(c.Replica, c.timeout())
		if err != nil {
			return nil, fmt.Errorf("read replica: %w", err)
		}
		lagging = primary.Lagging(sqlstore.NewPool(s.pool(replica, c), engine, c.timeout()))
	}
	s.DB = sqlstore.New(primary, lagging)
	return s, nil
}

func (c Config) timeout() time.Duration { return cmp.Or(c.StatementTimeout, 5*time.Second) }

func (c Config) direct(main target) (*pgx.ConnConfig, error) {
	if c.Direct == "" && main.pooled {
		return nil, nil
	}
	t, err := parse(cmp.Or(c.Direct, c.URL), 0)
	if err != nil {
		return nil, fmt.Errorf("direct URL: %w", err)
	}
	t.config.ConnectTimeout = c.timeout()
	return t.config, nil
}

// pool opens connections when they are needed.
func (s *Store) pool(t target, c Config) *sql.DB {
	db := stdlib.OpenDB(*t.config)
	sqlstore.Bound(db, c.MaxConns, 5*time.Minute)
	s.pools = append(s.pools, db)
	return db
}

// Close closes the connections. Let operations finish before.
func (s *Store) Close() error {
	var err error
	for _, db := range s.pools {
		err = errors.Join(err, db.Close())
	}
	return err
}

// server is what answered at the URL.
type server struct{ notifies bool }

// oldest is the oldest version that is tested, as in server_version_num.
const oldest = 130000

func greet(ctx context.Context, db *sql.DB, timeout time.Duration) (server, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	const query = `SELECT version(), CAST(current_setting('server_version_num') AS BIGINT)`
	var name string
	var number int64
	if err := db.QueryRowContext(ctx, query).Scan(&name, &number); err != nil {
		return server{}, err
	}
	if number < oldest {
		return server{}, fmt.Errorf("server is version %d, %d or newer is needed", number/10000, oldest/10000)
	}
	return server{notifies: strings.HasPrefix(name, "PostgreSQL ") && !strings.Contains(name, "-YB-")}, nil
}

// dialect lets the append of an entry say that the log grew; the server tells it to whoever listens after the commit.
func (s server) dialect(query string) string {
	if s.notifies && strings.HasPrefix(query, `INSERT INTO log (`) {
		query += ` WHERE pg_notify('` + channel + `', '') IS NOT NULL`
	}
	return sqlstore.PostgreSQL(query)
}
