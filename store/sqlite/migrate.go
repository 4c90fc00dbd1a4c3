package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. When nothing is to be done, that costs two reads.
func migrate(ctx context.Context, path string, patience time.Duration) (err error) {
	db, err := sql.Open("sqlite", source(path, patience))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	current, err := upToDate(ctx, db)
	if err != nil || current {
		return err
	}
	unlock, err := lock(ctx, path)
	if err != nil {
		return fmt.Errorf("lock schema: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if current, err = upToDate(ctx, db); err != nil || current {
		return err // another process was faster
	}
	if _, err := db.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	sources, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, sources,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema: %w", err)
	}
	return nil
}

// upToDate says whether the file has our schema and uses a write-ahead log (a copy that was made by VACUUM INTO does not).
func upToDate(ctx context.Context, db *sql.DB) (bool, error) {
	known, err := newest()
	if err != nil {
		return false, err
	}
	version, err := schemaVersion(ctx, db)
	if err != nil || version == 0 {
		return false, err
	}
	if version > known {
		return false, fmt.Errorf("database schema is version %d, this build knows up to %d: %w", version, known, ErrNewer)
	}
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return false, err
	}
	return version == known && mode == "wal", nil
}

// schemaVersion is that of the file; 0 when it has no schema of ours.
func schemaVersion(ctx context.Context, db *sql.DB) (int64, error) {
	var tables int
	const exists = `SELECT COUNT(*) FROM sqlite_schema WHERE name = 'goose_db_version'`
	if err := db.QueryRowContext(ctx, exists).Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	var version sql.NullInt64
	err := db.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&version)
	return version.Int64, err
}

// Schema returns the version of the schema at path, 0 when there is none, and the newest that this build knows. It changes
// nothing; Open does. fs.ErrNotExist: there is no file. Otherwise its errors are those of Open.
func Schema(ctx context.Context, path string) (version, known int64, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, 0, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return 0, 0, err
	}
	if known, err = newest(); err != nil {
		return 0, 0, err
	}
	db, err := sql.Open("sqlite", source(path, patience, "query_only(1)"))
	if err != nil {
		return 0, known, err
	}
	db.SetMaxOpenConns(1)
	version, err = schemaVersion(ctx, db)
	if err = errors.Join(err, db.Close()); err != nil {
		return 0, known, fmt.Errorf("open database %s: %w", path, explainOpen(err))
	}
	return version, known, nil
}

// newest is the version of the last embedded migration.
func newest() (int64, error) {
	files, err := migrations.ReadDir("migrations") // sorted by name
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(files[len(files)-1].Name())
}

// lock keeps other processes from changing the schema meanwhile. The lock is a transaction on an empty database beside
// the real one: the system gives it back when a process dies, and goose can use transactions of its own.
func lock(ctx context.Context, path string) (unlock func() error, err error) {
	path += "-migrate"
	if err := create(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", source(path, time.Minute))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `BEGIN EXCLUSIVE`); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db.Close, nil
}

// Known is the newest version of the schema that this build knows.
func Known() (int64, error) { return newest() }
