package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// TestSweepsReadIndexes holds the shapes of the statements that would otherwise read a whole table again and again.
func TestSweepsReadIndexes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for name, c := range map[string]struct{ query, index string }{
		"grants of a user": {`SELECT * FROM grants WHERE substr(user_id, 3, 4) = ? AND user_id = ? ORDER BY id`, "grants_user"},
		"grants of a session": {
			`DELETE FROM grants WHERE substr(session_id, 3, 4) = ? AND session_id = ?`, "grants_session",
		},
		"expired grants": {
			`SELECT * FROM grants WHERE id IN (SELECT id FROM (SELECT id FROM grants WHERE expires_at < ?) AS expired)
			ORDER BY id LIMIT ?`, "grants_expires",
		},
		"expired sessions": {
			`SELECT * FROM sessions WHERE id IN (SELECT id FROM (SELECT id FROM sessions WHERE ends_at < ?) AS expired)
			ORDER BY id LIMIT ?`, "sessions_ends",
		},
		"expired tickets": {
			`DELETE FROM tickets WHERE (kind, hash) IN (SELECT kind, hash FROM (
			SELECT kind, hash FROM tickets WHERE expires_at < ? LIMIT ?) AS expired)`, "tickets_expires",
		},
		"events of a person": {`SELECT * FROM events WHERE subject = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, "events_subject"},
		"due messages":       {`SELECT * FROM messages WHERE due_at <= ? ORDER BY due_at, id LIMIT ?`, "messages_due"},
		"counters that are full": {
			`DELETE FROM counters WHERE name IN (SELECT name FROM (
			SELECT name FROM counters WHERE full_at < ? LIMIT ?) AS full_again)`, "counters_full",
		},
		"expired entries of the log": {
			`DELETE FROM log WHERE seq IN (SELECT seq FROM (SELECT seq FROM log WHERE expires_at < ? LIMIT ?) AS expired)`, "log_expires",
		},
		"old events": {
			`DELETE FROM events WHERE seq IN (SELECT seq FROM (SELECT seq FROM events WHERE at < ? LIMIT ?) AS old)`, "events_at",
		},
		"tickets of a user": {`DELETE FROM tickets WHERE user_id = ?`, "tickets_user"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := db.Query("EXPLAIN QUERY PLAN "+c.query, make([]any, strings.Count(c.query, "?"))...)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var plan []string
			for rows.Next() {
				var id, parent, unused int
				var step string
				if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
					t.Fatal(err)
				}
				plan = append(plan, step)
			}
			text := strings.Join(plan, "; ")
			if !strings.Contains(text, "INDEX "+c.index) || strings.Contains(text, "SCAN") {
				t.Errorf("plan does not use %s: %s", c.index, text)
			}
		})
	}
}
