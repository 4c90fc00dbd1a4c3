package sqlstore_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/sqlstore"
)

func TestDialects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ common, postgres, mysql string }{
		"parameters": {
			`SELECT a FROM b WHERE c = ? AND d = ?`, `SELECT a FROM b WHERE c = $1 AND d = $2`, `SELECT a FROM b WHERE c = ? AND d = ?`,
		},
		"insert": {
			`INSERT INTO a (b) VALUES (?) ON CONFLICT DO NOTHING`, `INSERT INTO a (b) VALUES ($1) ON CONFLICT DO NOTHING`,
			`INSERT INTO a (b) VALUES (?)`,
		},
		"upsert": {
			`INSERT INTO a (b, c) VALUES (?, ?) ON CONFLICT (b) DO UPDATE SET c = excluded.c`,
			`INSERT INTO a (b, c) VALUES ($1, $2) ON CONFLICT (b) DO UPDATE SET c = excluded.c`,
			`INSERT INTO a (b, c) VALUES (?, ?) ON DUPLICATE KEY UPDATE c = VALUES(c)`,
		},
		"search": {
			`(instr(a, ?) > 0 OR instr(b, ?) > 0)`, `(position($1 IN a) > 0 OR position($2 IN b) > 0)`, `(instr(a, ?) > 0 OR instr(b, ?) > 0)`,
		},
		"lookup": {
			`SELECT 1 FROM credentials WHERE method = ? AND lookup = ? AND id <> ?`,
			`SELECT 1 FROM credentials WHERE method = $1 AND sha256(lookup) = sha256($2) AND id <> $3`,
			`SELECT 1 FROM credentials WHERE method = ? AND lookup_hash = UNHEX(SHA2(?, 256)) AND id <> ?`,
		},
		"sweep": {
			`DELETE FROM tickets WHERE (kind, hash) IN (SELECT kind, hash FROM ( SELECT kind, hash FROM tickets WHERE expires_at < ? LIMIT ?) AS expired)`,
			`DELETE FROM tickets WHERE (kind, hash) IN (SELECT kind, hash FROM ( SELECT kind, hash FROM tickets WHERE expires_at < $1 LIMIT $2) AS expired)`,
			`DELETE FROM tickets WHERE expires_at < ? LIMIT ?`,
		},
		"sweep of what a query selects": {
			`DELETE FROM grants WHERE id IN (SELECT id FROM ( SELECT id FROM grants WHERE id IN (SELECT id FROM (SELECT id FROM grants WHERE expires_at < ?) AS expired) LIMIT ?) AS matching)`,
			`DELETE FROM grants WHERE id IN (SELECT id FROM ( SELECT id FROM grants WHERE id IN (SELECT id FROM (SELECT id FROM grants WHERE expires_at < $1) AS expired) LIMIT $2) AS matching)`,
			`DELETE FROM grants WHERE expires_at < ? LIMIT ?`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.postgres, sqlstore.PostgreSQL(c.common)); diff != "" {
				t.Errorf("PostgreSQL (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.mysql, sqlstore.MySQL(c.common)); diff != "" {
				t.Errorf("MySQL (-want +got):\n%s", diff)
			}
			if strings.Count(c.common, "?") != strings.Count(sqlstore.MySQL(c.common), "?") {
				t.Error("a parameter is lost")
			}
		})
	}
}
