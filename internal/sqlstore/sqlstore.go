// Package sqlstore is the storage contract over database/sql: one code for all relational backends.
//
// It owns the statements, the packing of IDs and times into columns, and the order of the log; for databases behind a
// network also the transactions, what is run again (Pool) and the migrations. It does not own what is peculiar to one
// database: a file and its locks, settings, the meaning of a driver's errors.
//
// Statements are written in the common tongue of SQLite and PostgreSQL, with "?" for a parameter. A Dialect rewrites each
// text once. There is no RETURNING and no SELECT FOR UPDATE; a compare-and-swap is an UPDATE that changes what it compares,
// and its count of rows is the answer.
package sqlstore

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary/store"
)

// Conn runs statements.
type Conn interface {
	// Exec runs a statement and returns how many rows it changed.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Query calls each for every row. No other statement may run until it has returned.
	Query(ctx context.Context, query string, each func(scan Scan) error, args ...any) error
}

// Scan copies the columns of the current row.
type Scan func(into ...any) error

// Backend runs the steps of a verb.
type Backend interface {
	// Read runs fn where it can read what was committed.
	Read(ctx context.Context, fn func(Conn) error) error
	// Write runs fn in a transaction and returns when that is durable. An error of fn rolls back and is returned as it is.
	// fn may run more than once.
	Write(ctx context.Context, fn func(Conn) error) error
	// Step is Write for what is right without a transaction, too: fn changes one row, and the rest are reads that explain.
	// A backend may run the statements one by one.
	Step(ctx context.Context, fn func(Conn) error) error
}

// DB implements store.Store, except for Close, and store.Volatile.
type DB struct{ view }

// New returns the contract over a backend. Lists that may lag are read from lagging.
func New(b, lagging Backend) *DB { return &DB{view{backend: b, lagging: lagging}} }

// Do runs fn in one transaction.
func (db *DB) Do(ctx context.Context, fn func(tx store.Tx) error) error {
	return db.backend.Write(ctx, func(c Conn) error {
		tx := &transaction{conn: c}
		defer func() { tx.over = true }()
		v := view{backend: tx, lagging: tx, pending: &tx.entries}
		if err := fn(v); err != nil {
			return err
		}
		return appendEntries(ctx, c, tx.entries)
	})
}

// Ping reads one row.
func (db *DB) Ping(ctx context.Context) error {
	return db.backend.Read(ctx, func(c Conn) error {
		return one(ctx, c, `SELECT seq FROM log_head`, func(scan Scan) error { return scan(new(int64)) })
	})
}

// Sessions is part of store.Volatile.
func (db *DB) Sessions() store.Sessions { return sessions{db.view} }

// Counters is part of store.Volatile.
func (db *DB) Counters() store.Counters { return counters{db.view} }

// view is a store.Tx: of single steps over a backend, or within one transaction, where entries of the log wait for its end.
type view struct {
	backend Backend
	lagging Backend // for lists that nothing is decided by
	pending *[]store.Entry
}

func (v view) Users() store.Users             { return users{v} }
func (v view) Credentials() store.Credentials { return credentials{v} }
func (v view) Grants() store.Grants           { return grants{v} }
func (v view) Tickets() store.Tickets         { return tickets{v} }
func (v view) Log() store.Log                 { return log{v} }
func (v view) Events() store.Events           { return events{v} }
func (v view) Messages() store.Messages       { return messages{v} }
func (v view) Registry() store.Registry       { return registry{v} }

var errOver = errors.New("transaction is over")

// transaction is the backend of a view inside Do: its steps join the transaction that is open.
type transaction struct {
	conn    Conn
	entries []store.Entry
	over    bool
}

func (t *transaction) Read(ctx context.Context, fn func(Conn) error) error { return t.Write(ctx, fn) }

func (t *transaction) Step(ctx context.Context, fn func(Conn) error) error { return t.Write(ctx, fn) }

func (t *transaction) Write(_ context.Context, fn func(Conn) error) error {
	if t.over {
		return errOver
	}
	return fn(t.conn)
}

// one reads a single row. ErrNotFound: there is none.
func one(ctx context.Context, c Conn, query string, read func(Scan) error, args ...any) error {
	found := false
	err := c.Query(ctx, query, func(scan Scan) error {
		found = true
		return read(scan)
	}, args...)
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}

// get reads one record.
func get[T any](ctx context.Context, v view, query string, read func(Scan) (T, error), args ...any) (T, error) {
	var record T
	err := v.backend.Read(ctx, func(c Conn) error {
		return one(ctx, c, query, func(scan Scan) (err error) {
			record, err = read(scan)
			return err
		}, args...)
	})
	return record, err
}

// list reads all records that a query selects.
func list[T any](ctx context.Context, v view, query string, read func(Scan) (T, error), args ...any) ([]T, error) {
	return listFrom(ctx, v.backend, query, read, args...)
}

func listFrom[T any](ctx context.Context, b Backend, query string, read func(Scan) (T, error), args ...any) ([]T, error) {
	var records []T
	err := b.Read(ctx, func(c Conn) (err error) {
		records, err = collect(ctx, c, query, read, args...)
		return err
	})
	return records, err
}

func collect[T any](ctx context.Context, c Conn, query string, read func(Scan) (T, error), args ...any) ([]T, error) {
	var records []T
	err := c.Query(ctx, query, func(scan Scan) error {
		record, err := read(scan)
		records = append(records, record)
		return err
	}, args...)
	return records, err
}

// exec runs one statement as a step of its own.
func (v view) exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	err = v.backend.Step(ctx, func(c Conn) (err error) {
		changed, err = c.Exec(ctx, query, args...)
		return err
	})
	return changed, err
}

// swap runs a compare-and-swap. When nothing changed, exists tells ErrConflict (it finds a row) from ErrNotFound.
func swap(ctx context.Context, c Conn, update string, args []any, exists string, key ...any) error {
	changed, err := c.Exec(ctx, update, args...)
	if err != nil || changed > 0 {
		return err
	}
	if err := one(ctx, c, exists, func(Scan) error { return nil }, key...); err != nil {
		return err
	}
	return store.ErrConflict
}

// insert runs an INSERT … ON CONFLICT DO NOTHING. ErrConflict: nothing was inserted.
func insert(ctx context.Context, c Conn, query string, args ...any) error {
	changed, err := c.Exec(ctx, query, args...)
	if err == nil && changed == 0 {
		return store.ErrConflict
	}
	return err
}
