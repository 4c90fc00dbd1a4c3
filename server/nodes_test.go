package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/server"
)

var (
	postgresql dbtest.Postgres
	mariadb    dbtest.MariaDB
)

func TestMain(m *testing.M) {
	code := m.Run()
	postgresql.Stop()
	mariadb.Stop()
	os.Exit(code)
}

// post sends JSON, with the cookies of an earlier answer.
func post(s http.Handler, path, body string, cookies ...*http.Cookie) *http.Response {
	r := httptest.NewRequest("POST", "http://localhost:8080"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return send(s, r, cookies)
}

func me(s http.Handler, cookies ...*http.Cookie) int {
	return send(s, httptest.NewRequest("GET", "http://localhost:8080/api/v1/me", nil), cookies).StatusCode
}

func send(s http.Handler, r *http.Request, cookies []*http.Cookie) *http.Response {
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// TestR23_NodesOnOneDatabase: what is revoked on one node is refused on the other within a second.
func TestR23_NodesOnOneDatabase(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) string{"postgres": postgresql.Database, "mariadb": mariadb.Database} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t)
			cfg.DB, cfg.InsecureNoRateLimits = server.Location(database(t)), true
			a := start(t, cfg)
			other := cfg
			other.Data, other.MasterKeyFile = filepath.Join(t.TempDir(), "data"), filepath.Join(cfg.Data, "master.key")
			b := start(t, other)
			if r := post(a, "/api/v1/register", `{"email":"ada@example.com","password":"correct horse battery staple"}`); r.StatusCode != 201 {
				t.Fatalf("register: %s", r.Status)
			}
			var took []time.Duration
			for range 10 {
				took = append(took, signOut(t, a, b))
			}
			slices.Sort(took)
			t.Logf("signed out on one node, refused on the other: p50 %s, most %s", took[len(took)/2], took[len(took)-1])
			if most := took[len(took)-1]; most > time.Second {
				t.Errorf("that is more than a second")
			}
		})
	}
}

// signOut signs in and out on a, and returns how long b went on.
func signOut(t *testing.T, a, b http.Handler) time.Duration {
	t.Helper()
	r := post(a, "/api/v1/login", `{"email":"ada@example.com","password":"correct horse battery staple"}`)
	if r.StatusCode != 200 {
		t.Fatalf("login: %s", r.Status)
	}
	if code := me(b, r.Cookies()...); code != 200 { // and now b remembers it
		t.Fatalf("the other node answers %d", code)
	}
	if r := post(a, "/api/v1/logout", `{}`, r.Cookies()...); r.StatusCode >= 300 {
		t.Fatalf("logout: %s", r.Status)
	}
	began := time.Now()
	for me(b, r.Cookies()...) == 200 {
		if time.Since(began) > 5*time.Second {
			t.Fatal("the other node never notices")
		}
		<-time.After(time.Millisecond)
	}
	return time.Since(began)
}

func TestDatabaseServerNeedsTheSameKey(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.DB = server.Location(postgresql.Database(t))
	if _, err := server.Open(t.Context(), cfg); err == nil {
		t.Error("an empty database was opened")
	}
	m, err := server.Migrate(t.Context(), cfg)
	if err != nil || !m.Created || strings.Contains(fmt.Sprint(m), "horse") {
		t.Errorf("migration is %+v (%v)", m, err)
	}
	start(t, cfg)
	for _, f := range server.Doctor(t.Context(), cfg) {
		if f.Level == server.Wrong || strings.Contains(fmt.Sprint(f), "horse") {
			t.Errorf("doctor finds %+v", f)
		}
	}
	other := cfg
	other.Data = filepath.Join(t.TempDir(), "data")
	if _, err := server.New(t.Context(), other); err == nil || !strings.Contains(err.Error(), "bring it back") {
		t.Errorf("without the key: %v", err)
	}
}
