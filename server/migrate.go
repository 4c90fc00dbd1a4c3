package server

import (
	"context"

	"github.com/ostiary/ostiary/store/sqlite"
)

// Migration says what [Migrate] did.
type Migration struct {
	Database string `json:"database"` // path of the file
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
	m := Migration{Database: cfg.database(), Created: !cfg.exists()}
	if err := cfg.prepare(); err != nil {
		return m, err
	}
	if _, err := cfg.key(); err != nil {
		return m, err
	}
	var err error
	if !m.Created {
		if m.From, _, err = sqlite.Schema(ctx, m.Database); err != nil {
			return m, err
		}
	}
	db, err := sqlite.Open(ctx, m.Database)
	if err != nil {
		return m, err
	}
	if err := db.Close(); err != nil {
		return m, err
	}
	m.To, _, err = sqlite.Schema(ctx, m.Database)
	return m, err
}
