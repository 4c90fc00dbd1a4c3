package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// ErrNewer says that a newer version of the software changed the schema.
var ErrNewer = errors.New("use a newer ostiary")

// Migrations bring the schema of a database server up to date.
type Migrations struct {
	DB      *sql.DB
	Dialect goose.Dialect
	Files   fs.FS  // of one directory
	Exists  string // counts the tables named goose_db_version
	// Lock keeps other nodes out until unlock; the server gives it back when we die.
	Lock func(ctx context.Context, c *sql.Conn) (unlock func(context.Context) error, err error)
}

// Up brings the schema up to date. When nothing is to be done, that costs two reads. ErrNewer.
func (m Migrations) Up(ctx context.Context) error {
	if done, err := m.done(ctx); err != nil || done {
		return err
	}
	c, err := m.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	unlock, err := m.Lock(ctx, c)
	if err != nil {
		return fmt.Errorf("lock schema: %w", err)
	}
	return errors.Join(m.apply(ctx), unlock(context.WithoutCancel(ctx)))
}

func (m Migrations) apply(ctx context.Context) error {
	if done, err := m.done(ctx); err != nil || done {
		return err // another node was faster
	}
	provider, err := goose.NewProvider(m.Dialect, m.DB, m.Files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return nil
}

func (m Migrations) done(ctx context.Context) (bool, error) {
	version, known, err := m.Version(ctx)
	if err != nil {
		return false, err
	}
	if version > known {
		return false, fmt.Errorf("database schema is version %d, this build knows up to %d: %w", version, known, ErrNewer)
	}
	return version == known, nil
}

// Version is that of the database, 0 when it has no schema of ours, and the newest that this build knows.
func (m Migrations) Version(ctx context.Context) (version, known int64, err error) {
	files, err := fs.Glob(m.Files, "*.sql") // sorted by name
	if err != nil {
		return 0, 0, err
	}
	if known, err = goose.NumericComponent(files[len(files)-1]); err != nil {
		return 0, 0, err
	}
	var tables int
	if err := m.DB.QueryRowContext(ctx, m.Exists).Scan(&tables); err != nil || tables == 0 {
		return 0, known, err
	}
	var found sql.NullInt64
	err = m.DB.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&found)
	return found.Int64, known, err
}
