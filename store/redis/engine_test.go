package redis_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/internal/apitest"
	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/redis"
)

// node is an engine with people in memory and sessions in Redis, which it asks each time.
func node(t *testing.T, s *redis.Store) *apitest.World {
	t.Helper()
	return apitest.New(t, func(c *ostiary.Config) {
		c.Volatile, c.Sessions.Uncached = s, true
	}, account.New())
}

// bearer is a browser with nothing but a session cookie, as a thief has it.
func bearer(w *apitest.World, signedIn apitest.Reply) *apitest.Client {
	c := w.Client()
	for _, k := range signedIn.Cookies() {
		if k.Name == "session" {
			c.Header.Set("Cookie", k.Name+"="+k.Value)
		}
	}
	return c
}

// snapshot keeps the sessions as they are now, and restore brings them back.
func snapshot(t *testing.T, server *dbtest.Server) (restore func()) {
	t.Helper()
	file := filepath.Join(server.Dir(), "dump.rdb")
	dbtest.RedisCLI(t, server.Address(), "SAVE")
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		server.Kill()
		if err := os.WriteFile(file, kept, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestR22_ARestoredSnapshotBringsNobodyBack: sessions end in each way there is, and Redis goes back in time.
func TestR22_ARestoredSnapshotBringsNobodyBack(t *testing.T) {
	t.Parallel()
	for name, ttl := range map[string]time.Duration{"asked each time": 0, "client cache": cacheTTL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := servers.Another(t)
			s := open(t, redis.Config{URL: server.SocketURL(), CacheTTL: ttl})
			w := node(t, s)
			type visit struct {
				browser, thief *apitest.Client
			}
			visits := map[string]visit{}
			for end, email := range map[string]string{"/api/v1/logout": "ann@example.com", "/api/v1/logout/all": "bob@example.com", "": "eve@example.com"} {
				c := w.Client()
				in := c.SignIn(email)
				visits[end] = visit{c, bearer(w, in)}
			}
			for _, v := range visits {
				v.thief.Want("GET", "/api/v1/me", nil, 200, "")
			}
			restore := snapshot(t, server)
			for end, v := range visits {
				if end != "" {
					if r := v.browser.Do("POST", end, map[string]any{}); r.StatusCode >= 300 {
						t.Fatalf("%s: %d %s", end, r.StatusCode, r.Raw)
					}
				}
			}
			restore()
			wantRecovery(t, s)
			for end, v := range visits {
				_, err := s.Sessions().Get(t.Context(), v.browser.Session)
				if err != nil {
					t.Fatalf("the snapshot does not hold the session: %v", err)
				}
				if end == "" {
					v.thief.Want("GET", "/api/v1/me", nil, 200, "") // who did not leave is still there
				} else if r := v.thief.Do("GET", "/api/v1/me", nil); r.StatusCode != 401 {
					t.Errorf("%s, then the old snapshot: %d %s", end, r.StatusCode, r.Raw)
				}
			}
		})
	}
}

// TestR22_LostRedisIsNoSignOut: without Redis nobody is let in by a session, and nobody is told that his is over.
func TestR22_LostRedisIsNoSignOut(t *testing.T) {
	t.Parallel()
	server := servers.Another(t)
	s := open(t, redis.Config{URL: server.SocketURL(), Timeout: patience})
	w := node(t, s)
	session := w.Client()
	session.SignIn("ann@example.com")
	tokens := w.Client()
	in := tokens.Want("POST", "/api/v1/knock", map[string]any{"email": "bob@example.com", "delivery": "body"}, 200, "")
	access, _ := in.Body["access_token"].(string)
	token := w.Client()
	token.Header.Set("Authorization", "Bearer "+access)
	dbtest.RedisCLI(t, server.Address(), "SAVE")
	server.Kill()
	for range 3 {
		began := time.Now()
		r := session.Do("GET", "/api/v1/me", nil)
		if r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || time.Since(began) > 2*patience {
			t.Errorf("a session without Redis: %d, Retry-After %q after %s, want 503 in time", r.StatusCode, r.Header.Get("Retry-After"), time.Since(began))
		}
	}
	token.Want("GET", "/api/v1/me", nil, 200, "")
	if err := w.Auth.Ready(t.Context()); err == nil {
		t.Error("the node says that it is ready")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	wantRecovery(t, s)
	session.Want("GET", "/api/v1/me", nil, 200, "")
	if err := w.Auth.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestR16_ExpiredSessionsAreSwept: an expired session is still there for the sweep, although its time is over.
func TestR16_ExpiredSessionsAreSwept(t *testing.T) {
	t.Parallel()
	s := open(t, redis.Config{URL: servers.Server(t).SocketURL()})
	w := node(t, s)
	c := w.Client()
	c.SignIn("ann@example.com")
	w.Advance(8 * 24 * time.Hour) // longer than a session may be idle
	list, err := s.Sessions().List(t.Context(), store.SessionQuery{Expired: w.Now(), Limit: 9})
	if err != nil || len(list) != 1 || list[0].ID != c.Session {
		t.Fatalf("expired are %v, %v", list, err)
	}
	apitest.New(t, func(o *ostiary.Config) { o.Volatile, o.Store, o.Now = s, w.Store, w.Now }) // a node that starts sweeps
	deadline := time.Now().Add(20 * time.Second)
	for err = nil; !errors.Is(err, store.ErrNotFound); _, err = s.Sessions().Get(t.Context(), c.Session) {
		if time.Now().After(deadline) {
			t.Fatalf("after the sweep: %v", err)
		}
		<-time.After(10 * time.Millisecond)
	}
	events, err := w.Store.Events().List(t.Context(), store.EventQuery{Kind: "session.ended"})
	if err != nil || len(events) != 1 || events[0].Detail["why"] != "expired" {
		t.Errorf("events are %v, %v", events, err)
	}
}
