package postgres_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/postgres"
	"github.com/ostiary/ostiary/store/storetest"
)

func TestContractThroughPgBouncer(t *testing.T) {
	t.Parallel()
	pooler := database.PgBouncer(t)
	t.Run("all", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) (store.Store, store.Volatile) {
			s := open(t, postgres.Config{URL: through(t, pooler.Address(), database.Database(t)) + "&pool_mode=transaction"})
			return s, s
		})
	})
	s := open(t, postgres.Config{URL: through(t, pooler.Address(), database.Database(t)) + "&pool_mode=transaction"})
	if _, err := s.Wake(t.Context()); err == nil {
		t.Error("it listens through the pooler")
	}
}

func TestNodesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	dbtest.Migrate(t, func() (store.Store, error) { return postgres.Open(t.Context(), postgres.Config{URL: url}) })
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	open(t, postgres.Config{URL: url})
	dbtest.Exec(t, "pgx", url, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`)
	if _, err := postgres.Open(t.Context(), postgres.Config{URL: url}); !errors.Is(err, postgres.ErrNewer) {
		t.Errorf("error is %v", err)
	}
	if version, known, err := postgres.Schema(t.Context(), postgres.Config{URL: url}); version != 999 || known == 0 || err != nil {
		t.Errorf("schema is %d of %d (%v)", version, known, err)
	}
}

func TestR19_ALaterCommitGoesFirst(t *testing.T) {
	t.Parallel()
	dbtest.LaterCommitGoesFirst(t, open(t, postgres.Config{URL: database.Database(t)}))
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	dbtest.Exec(t, "pgx", url, `CREATE ROLE guest`, `ALTER ROLE guest LOGIN PASSWORD 'guest'`, `REVOKE ALL ON SCHEMA public FROM PUBLIC`)
	t.Cleanup(func() { dbtest.Exec(t, "pgx", url, `DROP ROLE guest`) })
	name := url[strings.LastIndex(url, "/")+1 : strings.Index(url, "?")]
	for what, c := range map[string]struct{ url, want string }{
		"password":    {strings.Replace(url, "correct", "wrong", 1), `does not let user "ostiary" in`},
		"unreachable": {through(t, "127.0.0.1:1", url), "cannot be reached"},
		"no name":     {through(t, "host.invalid", url), "cannot be reached"},
		"database":    {strings.Replace(url, name, "missing", 1), `database "missing" does not exist`},
		"rights":      {strings.Replace(url, "ostiary:correct%20horse", "guest:guest", 1), `user "guest" lacks a right`},
		"scheme":      {"mysql://ostiary:correct%20horse@localhost/x", "not a URL like"},
		"no url":      {"postgres://ostiary:correct%zz horse@localhost/x", "not a URL like"},
		"sslmode":     {"postgres://ostiary:correct%20horse@localhost/x?sslmode=maybe", "sslmode is invalid"},
		"pool mode":   {"postgres://ostiary:correct%20horse@localhost/x?pool_mode=statement", "pool_mode"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), postgres.Config{URL: c.url})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "guest:guest")) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// TestR23_AnotherNodeIsWoken measures how long a revocation takes to the next node when that is told of it.
func TestR23_AnotherNodeIsWoken(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	a, b := open(t, postgres.Config{URL: url}), open(t, postgres.Config{URL: url})
	hints, err := b.Wake(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	<-hints // it listens
	var took []time.Duration
	for i := range int64(50) {
		began := time.Now()
		if err := a.Log().Append(t.Context(), store.Entry{Kind: store.KindGrant, ExpiresAt: began.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		for met := false; !met; {
			select {
			case <-hints:
				_, head, err := b.Log().After(t.Context(), i, 10)
				if err != nil {
					t.Fatal(err)
				}
				met = head.Seq == i+1
			case <-time.After(time.Second):
				t.Fatal("nobody was woken within a second")
			}
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("committed on one node, read on the other: p50 %s, p99 %s", took[25], took[49])
}

// TestListenerComesBack cuts the connection of a listener.
func TestListenerComesBack(t *testing.T) {
	t.Parallel()
	url := database.Database(t)
	p := dbtest.NewProxy(t, database.Server(t).Address())
	s := open(t, postgres.Config{URL: url, Direct: through(t, p.Address, url)})
	hints, err := s.Wake(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		select {
		case <-hints: // also after each new connection, because something may have been missed
		case <-time.After(10 * time.Second):
			t.Fatal("it does not listen again")
		}
		p.Cut()
	}
}

func TestReplicaIsForListsOnly(t *testing.T) {
	t.Parallel()
	primary, copied := database.Database(t), database.Database(t)
	open(t, postgres.Config{URL: copied}) // an empty one stands for a copy that lags
	s := open(t, postgres.Config{URL: primary, Replica: copied})
	u := store.User{ID: dbtest.ID(), EmailNormal: "a@example.com", Roles: []string{"admin"}}
	if err := s.Users().Create(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Users().List(t.Context(), store.UserQuery{}); err != nil || len(list) != 0 {
		t.Errorf("the list is not from the copy: %v, %v", list, err)
	}
	if _, err := s.Users().Get(t.Context(), u.ID); err != nil {
		t.Errorf("a person is read from the copy: %v", err)
	}
	err := s.Do(t.Context(), func(tx store.Tx) error {
		list, err := tx.Users().List(t.Context(), store.UserQuery{Role: "admin"})
		if len(list) != 1 {
			t.Error("a transaction reads from the copy")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	lost := open(t, postgres.Config{URL: primary, Replica: through(t, "127.0.0.1:1", copied)})
	if list, err := lost.Users().List(t.Context(), store.UserQuery{}); err != nil || len(list) != 1 {
		t.Errorf("without its copy the original is not asked: %v, %v", list, err)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	const people = 5000
	url := database.Database(t)
	s := open(t, postgres.Config{URL: url})
	dbtest.Fill(t, s, people)
	dbtest.Exec(t, "pgx", url, `VACUUM FULL sessions`, `VACUUM FULL grants`)
	for table, most := range map[string]int64{"sessions": 700, "grants": 500} {
		size := dbtest.Number(t, "pgx", url, `SELECT pg_total_relation_size('`+table+`')`) / people
		if t.Logf("%s: %d bytes a row with its index entries", table, size); size > most {
			t.Errorf("that is more than %d", most)
		}
	}
}

func BenchmarkRates(b *testing.B) {
	dbtest.Exec(b, "pgx", database.Database(b), `ALTER SYSTEM SET fsync = on`, `SELECT pg_reload_conf()`)
	dbtest.Rates(b, open(b, postgres.Config{URL: database.Database(b)}))
}
