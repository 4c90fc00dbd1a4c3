package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// lockKey is "ostiary" in ASCII: the advisory lock under which nodes change the schema.
const lockKey = 0x6f737469617279

// Schema returns the version of the schema, 0 when there is none, and the newest that this build knows. It changes nothing.
func Schema(ctx context.Context, c Config) (version, known int64, err error) {
	t, err := parse(c.URL, c.timeout())
	if err != nil {
		return 0, 0, fmt.Errorf("open database: %w", err)
	}
	err = t.schema(func(m sqlstore.Migrations) (err error) {
		version, known, err = m.Version(ctx)
		return err
	})
	if err != nil {
		return 0, known, fmt.Errorf("open database: %w", t.explain(err))
	}
	return version, known, nil
}

// migrate brings the schema up to date. It may take longer than any statement of ours.
func migrate(ctx context.Context, t target) error {
	if !t.pooled {
		patient := t.config.Copy()
		patient.RuntimeParams["statement_timeout"] = "0"
		patient.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
		t.config = patient
	}
	return t.schema(func(m sqlstore.Migrations) error { return m.Up(ctx) })
}

func (t target) schema(do func(sqlstore.Migrations) error) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*t.config)
	m := sqlstore.Migrations{
		DB: db, Dialect: goose.DialectPostgres, Files: files, Lock: lock,
		Exists: `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'goose_db_version'`,
	}
	return errors.Join(do(m), db.Close())
}

// lock holds the lock by a transaction of its own: that works through a pooler, too, and ends with the connection.
func lock(ctx context.Context, c *sql.Conn) (unlock func(context.Context) error, err error) {
	if _, err := c.ExecContext(ctx, `BEGIN`); err != nil {
		return nil, err
	}
	end := func(ctx context.Context) error {
		_, err := c.ExecContext(ctx, `ROLLBACK`)
		return err
	}
	if _, err := c.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(lockKey)); err != nil {
		return nil, errors.Join(err, end(context.WithoutCancel(ctx)))
	}
	return end, nil
}
