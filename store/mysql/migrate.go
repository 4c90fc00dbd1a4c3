package mysql

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema returns the version of the schema, 0 when there is none, and the newest that this build knows. It changes nothing.
func Schema(ctx context.Context, c Config) (version, known int64, err error) {
	err = schema(c.URL, func(m sqlstore.Migrations) (err error) {
		version, known, err = m.Version(ctx)
		return err
	})
	if err != nil {
		return 0, known, fmt.Errorf("open database: %w", err)
	}
	return version, known, nil
}

func migrate(ctx context.Context, url string) error {
	return schema(url, func(m sqlstore.Migrations) error { return m.Up(ctx) })
}

func schema(url string, do func(sqlstore.Migrations) error) error {
	t, err := parse(url, 0) // it may take longer than any statement of ours
	if err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := sql.OpenDB(t)
	m := sqlstore.Migrations{
		DB: db, Dialect: goose.DialectMySQL, Files: files, Lock: lock,
		Exists: `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'goose_db_version'`,
	}
	if err := errors.Join(do(m), db.Close()); err != nil {
		return t.explain(err)
	}
	return nil
}

// lock waits for nodes that change the schema of this database; the lock ends with the connection.
func lock(ctx context.Context, c *sql.Conn) (unlock func(context.Context) error, err error) {
	// The wait is made of short ones, because the server may end a longer silence.
	for got := int64(0); got != 1; {
		if err := c.QueryRowContext(ctx, `SELECT GET_LOCK(CONCAT('ostiary ', MD5(DATABASE())), 5)`).Scan(&got); err != nil {
			return nil, err
		}
	}
	if _, err := c.ExecContext(ctx, `SET SESSION wait_timeout = 28800`); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := c.ExecContext(ctx, `DO RELEASE_LOCK(CONCAT('ostiary ', MD5(DATABASE())))`)
		return err
	}, nil
}
