package server

import (
	"context"
)

// Migration says what [Migrate] did.
type Migration struct {
	Database string `json:"database"` // path of the file, or URL without a password
	Created  bool   `json:"created"`
	From     int64  `json:"from"` // version of the schema before
	To       int64  `json:"to"`   // and now
}

// Migrate makes what is missing (directory, master key, database) and brings the schema up to date. It is safe beside a
// running server of this version or the one before.
func Migrate(ctx context.Context, cfg Config) (Migration, error) {
	if err := cfg.Check(); err != nil {
		return Migration{}, err
	}
	cfg = cfg.complete()
	m := Migration{Database: cfg.DB.name()}
	found, err := cfg.exists(ctx)
	if err != nil {
		return m, err
	}
	m.Created = !found
	if err := cfg.prepare(ctx); err != nil {
		return m, err
	}
	if _, err := cfg.key(); err != nil {
		return m, err
	}
	if !m.Created {
		if m.From, _, err = cfg.schema(ctx); err != nil {
			return m, err
		}
	}
	db, err := cfg.openDatabase(ctx)
	if err != nil {
		return m, err
	}
	if err := db.Close(); err != nil {
		return m, err
	}
	m.To, _, err = cfg.schema(ctx)
	return m, err
}
