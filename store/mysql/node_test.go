package mysql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/mysql"
)

func TestNodesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	dbtest.Migrate(t, func() (store.Store, error) { return mysql.Open(t.Context(), mysql.Config{URL: url}) })
}

// TestMigrationGoesOn: a change of the schema is no transaction here, so a node that is killed leaves a part of it.
func TestMigrationGoesOn(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	if s, err := mysql.Open(t.Context(), mysql.Config{URL: url}); err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	in := name(url) + "."
	dbtest.Exec(t, "mysql", database.Root(t), `DROP TABLE `+in+`counters`, `DROP TABLE `+in+`sessions`, `DROP TABLE `+in+`goose_db_version`)
	s := open(t, mysql.Config{URL: url})
	if err := s.Counters().Reset(t.Context(), "k"); err != nil {
		t.Error(err)
	}
	if n := dbtest.Number(t, "mysql", database.Root(t), `SELECT COUNT(*) FROM `+in+`log_head`); n != 1 {
		t.Errorf("the log has %d heads", n)
	}
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	open(t, mysql.Config{URL: url})
	dbtest.Exec(t, "mysql", database.Root(t), `INSERT INTO `+name(url)+`.goose_db_version (version_id, is_applied) VALUES (999, true)`)
	if _, err := mysql.Open(t.Context(), mysql.Config{URL: url}); !errors.Is(err, mysql.ErrNewer) {
		t.Errorf("error is %v", err)
	}
	if version, known, err := mysql.Schema(t.Context(), mysql.Config{URL: url}); version != 999 || known == 0 || err != nil {
		t.Errorf("schema is %d of %d (%v)", version, known, err)
	}
}

// name is that of the database of a URL.
func name(url string) string { return url[strings.LastIndex(url, "/")+1:] }

func TestR19_ALaterCommitGoesFirst(t *testing.T) {
	t.Parallel()
	dbtest.LaterCommitGoesFirst(t, open(t, mysql.Config{URL: database.Database(t)}))
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	db := name(url)
	dbtest.Exec(t, "mysql", database.Root(t), `CREATE USER guest IDENTIFIED BY 'guest'`, `GRANT SELECT ON `+db+`.* TO guest`)
	for what, c := range map[string]struct{ url, want string }{
		"password":    {strings.Replace(url, "correct", "wrong", 1), `does not let user "ostiary" in`},
		"unreachable": {through(t, "127.0.0.1:1", url), "cannot be reached"},
		"database":    {strings.Replace(url, "ostiary:correct%20horse", "root:", 1) + "missing", `database "` + db + `missing" does not exist`},
		"not ours":    {url + "missing", `user "ostiary" lacks a right`},
		"rights":      {strings.Replace(url, "ostiary:correct%20horse", "guest:guest", 1), `user "guest" lacks a right`},
		"scheme":      {"postgres://ostiary:correct%20horse@localhost/x", "not a URL like"},
		"no url":      {"mysql://ostiary:correct%zz horse@localhost/x", "not a URL like"},
		"no database": {"mysql://ostiary:correct%20horse@localhost", "not a URL like"},
		"parameter":   {url + "?allowAllFiles=true", `parameter "allowAllFiles" is not known`},
		"tls":         {url + "?tls=perhaps", `parameter "tls" is not known, or its value`},
		"no tls":      {url + "?tls=true", "TLS"},
		"authority":   {url + "?ca=/nowhere.pem", "/nowhere.pem"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := mysql.Open(t.Context(), mysql.Config{URL: c.url})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "guest:guest")) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	const people = 5000
	url := database.Database(t)
	dbtest.Fill(t, open(t, mysql.Config{URL: url}), people)
	in := name(url) + "."
	dbtest.Exec(t, "mysql", database.Root(t), `OPTIMIZE TABLE `+in+`sessions, `+in+`grants`)
	for table, most := range map[string]int64{"sessions": 900, "grants": 800} {
		size := dbtest.Number(t, "mysql", database.Root(t), `SELECT CAST((data_length + index_length) / 5000 AS SIGNED)
			FROM information_schema.tables WHERE table_schema = '`+name(url)+`' AND table_name = '`+table+`'`)
		if t.Logf("%s: %d bytes a row with its index entries", table, size); size > most {
			t.Errorf("that is more than %d", most)
		}
	}
}

func BenchmarkRates(b *testing.B) {
	dbtest.Exec(b, "mysql", database.Root(b), `SET GLOBAL innodb_flush_log_at_trx_commit = 1`)
	dbtest.Rates(b, open(b, mysql.Config{URL: database.Database(b)}))
}
