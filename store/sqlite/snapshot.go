package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Snapshot copies the database at path, as it is at one moment, into the file to, which must be empty or missing, while
// others read and write. What was deleted is not in the copy. Its errors are those of [Open].
func Snapshot(ctx context.Context, path, to string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil { // or it would be made
		return err
	}
	db, err := sql.Open("sqlite", source(path, patience))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("copy database %s: %w", path, explainOpen(err))
	}
	return nil
}
