package apikey_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/apitest"
)

const keysPath = "/api/v1/api-keys"

type fields = map[string]any

type world struct {
	*apitest.World
	part *apikey.Part
}

func roles(c *ostiary.Config) {
	c.Roles = []authz.Role{
		{Name: "writer", Permissions: []string{"posts:*", "todos:read", "users:read"}},
		{Name: "author", Permissions: []string{"posts:update:own"}},
		{Name: "support", Permissions: []string{"apikeys:*", "users:write", "roles:assign", "todos:read"}},
		{Name: "reader", Permissions: []string{"todos:read"}},
	}
}

func newWorld(t testing.TB, cfg apikey.Config, more ...func(*ostiary.Config)) *world {
	t.Helper()
	part, err := apikey.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{part: part}
	w.World = apitest.New(t, func(c *ostiary.Config) {
		roles(c)
		for _, change := range more {
			change(c)
		}
	}, part, account.New(), admin.New(admin.Config{}))
	return w
}

// make makes a key and returns its text and ID.
func (w *world) make(c *apitest.Client, wish fields) (text, id string) {
	w.Helper()
	if wish["name"] == nil {
		wish["name"] = "robot"
	}
	r := c.Want("POST", keysPath, wish, 201, "")
	return r.Body["key"].(string), r.Body["id"].(string)
}

// with is a client that has nothing but a key.
func (w *world) with(key string) *apitest.Client {
	c := w.Client()
	c.Header.Set("Authorization", "Bearer "+key)
	return c
}

// guard asks the embedder's own route that makes these demands.
func guard(auth *ostiary.Auth, header http.Header, need ...ostiary.Check) (status int, user *ostiary.User) {
	h := auth.Require(need...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { user = ostiary.UserFrom(r.Context()) }))
	r := httptest.NewRequest("POST", auth.Issuer()+"/own", nil)
	r.Header = header
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Code, user
}

func bearer(key string) http.Header { return http.Header{"Authorization": {"Bearer " + key}} }

func (w *world) give(id string, names ...string) {
	w.Helper()
	w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error { return t.SetRoles(ctx, id, names) })
}

// logs keeps what is logged, at every level.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(b) }

func (l *logs) text() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
