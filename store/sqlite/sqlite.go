// Package sqlite keeps everything in one SQLite file: the default backend.
//
// It owns the file, its connections, the group commit and the migrations. The statements and what they mean are in
// internal/sqlstore, the contract in package store. One process at a time should write: several are safe, but they wait
// for each other's locks instead of sharing a commit.
//
// What was acknowledged survives a power cut (synchronous=FULL). Beside the file lie its -wal and -shm, and an empty
// -migrate, which is the lock under which processes change the schema.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

// patience is how long an operation waits for the lock of another process.
const patience = 5 * time.Second

// Store implements store.Store and store.Volatile over one file. It is safe for concurrent use.
type Store struct {
	*sqlstore.DB
	readers *sql.DB
	read    *sqlstore.Statements
	writer  *writer
}

// Open opens the database at path, creates it with mode 0600 when it is missing, and brings its schema up to date.
//
// Its errors are one line: ErrNewer, ErrCorrupt, ErrReadOnly, ErrBusy and ErrFull say what an operator can do something
// about.
func Open(ctx context.Context, path string) (*Store, error) {
	s, err := open(ctx, path, patience)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, explainOpen(err))
	}
	return s, nil
}

func open(ctx context.Context, path string, patience time.Duration) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	if err := migrate(ctx, path, patience); err != nil {
		return nil, err
	}
	w, err := newWriter(ctx, source(path, patience, "cache_size(-2000)", "journal_size_limit(16777216)"))
	if err != nil {
		return nil, err
	}
	readers, err := sql.Open("sqlite", source(path, patience, "cache_size(-512)", "query_only(1)"))
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	// Idle readers cost memory, so they go after a minute; but under load none is closed only to be opened again, which
	// costs ten times the read (a quarter of all CPU in a profile of session checks).
	n := max(4, 2*runtime.NumCPU())
	readers.SetMaxOpenConns(n)
	readers.SetMaxIdleConns(n)
	readers.SetConnMaxIdleTime(time.Minute)
	s := &Store{readers: readers, read: sqlstore.NewStatements(readers, dialect), writer: w}
	s.DB = sqlstore.New(backend{s}, backend{s})
	return s, nil
}

// dialect: the common tongue of sqlstore is SQLite's own.
func dialect(query string) string { return query }

// backend hides from the users of a Store how its verbs reach the database.
type backend struct{ store *Store }

// Read runs fn on the readers; each statement sees what was committed when it began.
func (b backend) Read(ctx context.Context, fn func(sqlstore.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return explain(fn(short{b.store.read}))
}

// short runs statements that are over in microseconds and so cannot be cancelled: watching a context costs database/sql a
// goroutine for each of them, a third of the time of a point read.
type short struct{ *sqlstore.Statements }

func (s short) Query(ctx context.Context, query string, each func(sqlstore.Scan) error, args ...any) error {
	return s.Statements.Query(context.WithoutCancel(ctx), query, each, args...)
}

// Write runs fn in the caller's goroutine, in its turn, and returns when the commit that contains it is on disk.
func (b backend) Write(ctx context.Context, fn func(sqlstore.Conn) error) error {
	return b.store.writer.write(ctx, fn)
}

// Step is Write: a transaction costs nothing here that a commit would not.
func (b backend) Step(ctx context.Context, fn func(sqlstore.Conn) error) error {
	return b.Write(ctx, fn)
}

// Close waits for the operation that is running, refuses later ones, and closes the file.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.readers.Close(), s.writer.close())
}

// create makes an empty file for our eyes only; SQLite gives the -wal and -shm the same mode. An existing file is not
// opened: closing it again would drop the locks that another Store of this process holds on it.
func create(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// source is the driver's name for a database. The driver applies busy_timeout first.
func source(path string, patience time.Duration, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()),
		"foreign_keys(1)", "synchronous(FULL)", "temp_store(MEMORY)", "trusted_schema(0)",
	}, pragmas...)}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}
