package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// Exclusive is a database that nobody else has open, and that nobody can open until it is closed: for putting another one
// in its place. It keeps no write-ahead log; the next Open brings that back.
type Exclusive struct {
	path   string
	unlock func() error
	db     *sql.DB // nil until there is a file
	conn   *sql.Conn
}

// exclusivePatience is for commands that are about to end. Servers never do by themselves.
const exclusivePatience = time.Second

// OpenExclusive locks the database at path, whether there is one or not. ErrBusy: somebody has it open. Otherwise its errors
// are those of [Open].
func OpenExclusive(ctx context.Context, path string) (*Exclusive, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, path) // against those who would make one meanwhile
	if err != nil {
		return nil, fmt.Errorf("lock database %s: %w", path, explainOpen(err))
	}
	e := &Exclusive{path: path, unlock: unlock}
	if _, err = os.Stat(path); err == nil {
		err = e.take(ctx)
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock database %s: %w", path, explainOpen(errors.Join(err, e.Close())))
	}
	return e, nil
}

// take opens the file alone. To give up the write-ahead log needs a lock that no other connection leaves room for, and
// the locking mode keeps it.
func (e *Exclusive) take(ctx context.Context) (err error) {
	if e.db, err = sql.Open("sqlite", source(e.path, exclusivePatience, "locking_mode(EXCLUSIVE)")); err != nil {
		return err
	}
	if e.conn, err = e.db.Conn(ctx); err != nil {
		return err
	}
	for _, statement := range []string{`PRAGMA journal_mode = DELETE`, `BEGIN EXCLUSIVE`, `COMMIT`} {
		if _, err := e.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Empty says whether there is no file, or nothing in it.
func (e *Exclusive) Empty(ctx context.Context) (bool, error) {
	if e.conn == nil {
		return true, nil
	}
	var pages int
	err := e.conn.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages)
	return pages == 0, explain(err)
}

// CopyTo copies the database into a file that is empty or missing, and returns when it is on disk.
func (e *Exclusive) CopyTo(ctx context.Context, to string) error {
	if _, err := e.conn.ExecContext(ctx, `VACUUM INTO ?`, to); err != nil {
		return fmt.Errorf("copy database: %w", explain(err))
	}
	f, err := os.OpenFile(to, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Replace puts the content of the database at from, which nobody else has open, in the place of this one: in one
// transaction, so that after a crash it is either the one or the other.
func (e *Exclusive) Replace(ctx context.Context, from string) error {
	if e.conn == nil {
		if err := create(e.path); err != nil {
			return explainOpen(err)
		}
		if err := e.take(ctx); err != nil {
			return fmt.Errorf("lock database: %w", explainOpen(err))
		}
	}
	from, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	err = e.conn.Raw(func(driver any) error {
		return replace(driver, source(from, exclusivePatience, "journal_mode(DELETE)"))
	})
	if err != nil {
		return fmt.Errorf("replace database: %w", explain(err))
	}
	return nil
}

func replace(driver any, from string) error {
	conn, ok := driver.(interface {
		NewRestore(from string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.New("the driver cannot copy pages")
	}
	pages, err := conn.NewRestore(from)
	if err != nil {
		return err
	}
	more, err := pages.Step(-1)
	if err == nil && more {
		err = errors.New("not all pages were copied")
	}
	return errors.Join(err, pages.Finish())
}

// Close gives the database back to others.
func (e *Exclusive) Close() error {
	var err error
	if e.conn != nil {
		err = e.conn.Close()
	}
	if e.db != nil {
		err = errors.Join(err, e.db.Close())
	}
	return errors.Join(err, e.unlock())
}
