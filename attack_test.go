package ostiary_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
)

// slowSessions stops a read by cookie after it was answered, as a goroutine may be stopped at any place.
type slowSessions struct {
	store.Sessions
	armed  *atomic.Bool  // the next read stops
	read   chan struct{} // closed: it has read
	resume chan struct{} // closed: it goes on
}

func (s slowSessions) ByHash(ctx context.Context, hash [32]byte) (store.Session, error) {
	rec, err := s.Sessions.ByHash(ctx, hash)
	if s.armed.CompareAndSwap(true, false) {
		close(s.read)
		<-s.resume
	}
	return rec, err
}

type slowVolatile struct {
	store.Volatile
	sessions slowSessions
}

func (v slowVolatile) Sessions() store.Sessions { return v.sessions }

// A request with the old cookie that is stopped between two reads must not put the old cookie back into the cache after a
// reauthentication has replaced it.
func TestAttack_OldCookieReadWhileItIsReplaced(t *testing.T) {
	t.Parallel()
	mem := memory.New()
	slow := slowSessions{mem.Sessions(), &atomic.Bool{}, make(chan struct{}), make(chan struct{})}
	w := newWorld(t, func(cfg *ostiary.Config) {
		cfg.Store, cfg.Volatile = mem, slowVolatile{mem, slow}
		cfg.Methods = append(cfg.Methods, &nod{})
	})
	owner := w.client()
	owner.knock("ada@example.com", "")
	thief := w.client()
	issuer, err := url.Parse(w.auth.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	thief.http.Jar.SetCookies(issuer, owner.http.Jar.Cookies(issuer))
	slow.armed.Store(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		thief.do("GET", "/api/v1/who", nil)
	}()
	<-slow.read
	owner.want(owner.do("POST", "/api/v1/reauthenticate", map[string]any{"method": "nod", "code": "yes"}), 200, "")
	owner.want(owner.do("GET", "/api/v1/who", nil), 200, "")
	close(slow.resume)
	<-done
	thief.want(thief.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
}

// slowMethod changes something that ends every other session, and lets a test stop it on the way there.
type slowMethod struct {
	kit             *ostiary.Kit
	entered, resume chan struct{}
}

func (m *slowMethod) Name() string { return "slow" }

func (m *slowMethod) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	m.kit = k
	return []ostiary.Route{{Name: "slow.change", Pattern: "POST /api/v1/slow", Serve: ostiary.JSON(m.change)}}, nil
}

func (m *slowMethod) change(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	close(m.entered)
	<-m.resume
	return ostiary.None{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error { return t.EndSessions(ctx, c.Principal.User.ID) })
}

// Whoever is signed out while his password is being hashed must not keep his session by it.
func TestAttack_ChangeUnderWayOutlivesSignOut(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, owner *client, thiefSession string){
		"everywhere": func(_ *world, owner *client, _ string) {
			owner.want(owner.do("POST", "/api/v1/logout/all", nil), 204, "")
		},
		"this session": func(w *world, _ *client, id string) {
			e, call := w.auth.Engine(ostiary.ActorCLI)
			if err := e.EndSession(t.Context(), call, id); err != nil {
				w.Fatal(err)
			}
		},
	} {
		for _, delivery := range []store.Delivery{store.DeliverSession, store.DeliverBody} {
			t.Run(name+"/"+string(delivery), func(t *testing.T) {
				t.Parallel()
				slow := &slowMethod{entered: make(chan struct{}), resume: make(chan struct{})}
				w := newWorld(t, func(cfg *ostiary.Config) { cfg.Methods = append(cfg.Methods, slow) })
				owner, thief := w.client(), w.client()
				owner.knock("ada@example.com", "")
				in := thief.knock("ada@example.com", delivery)
				if access, ok := in.body["access_token"].(string); ok {
					thief.header.Set("Authorization", "Bearer "+access)
				}
				done := make(chan reply)
				go func() { done <- thief.do("POST", "/api/v1/slow", nil) }()
				<-slow.entered
				end(w, owner, in.body["session_id"].(string))
				close(slow.resume)
				if r := <-done; r.StatusCode != http.StatusUnauthorized {
					t.Errorf("the change went through: %d %s", r.StatusCode, r.raw)
				}
				if r := thief.do("GET", "/api/v1/who", nil); r.StatusCode != http.StatusUnauthorized {
					t.Errorf("the session lives on: %d %s", r.StatusCode, r.raw)
				}
			})
		}
	}
}

// A single-page app whose access token has expired still holds its refresh token: signing out everywhere must mean it.
func TestAttack_SignOutEverywhereWithAnExpiredAccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	other, app := w.client(), w.client()
	other.knock("ada@example.com", "")
	app.knock("ada@example.com", store.DeliverSplit)
	app.header.Set("Authorization", "Bearer expired")
	app.want(app.do("POST", "/api/v1/logout/all", nil), 204, "")
	other.want(other.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
}

// A session that the volatile store has lost must still be ended: its tokens hang on the durable grant.
func TestAttack_SignOutOfALostSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.client()
	in := c.knock("ada@example.com", store.DeliverBody)
	c.header.Set("Authorization", "Bearer "+in.body["access_token"].(string))
	if err := w.store.Sessions().End(t.Context(), in.body["session_id"].(string)); err != nil {
		t.Fatal(err)
	}
	c.want(c.do("GET", "/api/v1/who", nil), 200, "")
	c.want(c.do("POST", "/api/v1/logout", nil), 204, "")
	c.want(c.do("GET", "/api/v1/who", nil), 401, "token_revoked")
}

// A made-up Authorization header must not open the way to a cookie that another site sends along (R4).
func TestAttack_OriginCheckIsNotSkippedByAnAuthorizationHeader(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"garbage": "Basic eDp5", "empty": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWorld(t, nil).client()
			c.knock("ada@example.com", "")
			issuer, err := url.Parse(c.w.auth.Issuer())
			if err != nil {
				t.Fatal(err)
			}
			evil := c.w.client()
			evil.http.Jar.SetCookies(issuer, c.http.Jar.Cookies(issuer))
			evil.header = http.Header{"Authorization": {header}, "Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
			evil.do("POST", "/api/v1/logout", nil)
			c.want(c.do("GET", "/api/v1/who", nil), 200, "")
		})
	}
}

// An address that only looks like another's must not take that one's place: mail for its owner would go to the impostor.
func TestAttack_LookAlikeAddressTakesTheOriginal(t *testing.T) {
	t.Parallel()
	for name, email := range map[string]string{
		"full width": "ｖictor@example.com", "ligature": "of\ufb01ce@example.com", "sharp s": "straße@example.com",
		"kelvin sign": "\u212aim@example.com", "capital umlaut": "Änne@example.com", "combining": "a\u0308nne@example.com",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWorld(t, nil).client()
			c.want(c.do("POST", "/api/v1/knock", map[string]any{"email": email}), 400, "invalid_request")
		})
	}
	for _, email := range []string{"Victor@Example.com", "änne@example.com", "victor@BÜCHER.example", "ann@ｅxample.com"} {
		t.Run(email, func(t *testing.T) {
			t.Parallel()
			newWorld(t, nil).client().knock(email, "")
		})
	}
}

// crowded is a store in which somebody refreshes right after a transaction has listed the grants of a session, as can happen
// where transactions run side by side.
type crowded struct {
	*memory.Store
	runs *atomic.Int64
}

type crowdedTx struct {
	store.Tx
	runs *atomic.Int64
}

type crowdedGrants struct {
	store.Grants
	runs *atomic.Int64
}

func (s crowded) Do(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Do(ctx, func(tx store.Tx) error { return fn(crowdedTx{tx, s.runs}) })
}

func (t crowdedTx) Grants() store.Grants { return crowdedGrants{t.Tx.Grants(), t.runs} }

func (g crowdedGrants) List(ctx context.Context, q store.GrantQuery) ([]store.Grant, error) {
	list, err := g.Grants.List(ctx, q)
	if q.SessionID == "" || len(list) == 0 || g.runs.Add(1) > 1 {
		return list, err
	}
	first := list[0]
	return list, g.Rotate(ctx, store.Rotation{ID: first.ID, From: first.Generation, At: first.RotatedAt, ExpiresAt: first.ExpiresAt})
}

// A refresh that slips in while somebody changes his password must not be forgotten: the token that it used up would be
// good again, and the one that it handed out be taken for a sign of a restored database.
func TestAttack_RefreshDuringAChangeIsNotForgotten(t *testing.T) {
	t.Parallel()
	runs := &atomic.Int64{}
	w := newWorld(t, func(cfg *ostiary.Config) { cfg.Store = crowded{memory.New(), runs} })
	c := w.client()
	in := c.knock("ada@example.com", store.DeliverBody)
	c.header.Set("Authorization", "Bearer "+in.body["access_token"].(string))
	c.want(c.do("POST", "/api/v1/knock/change", nil), 204, "")
	if runs.Load() != 2 {
		t.Fatalf("the transaction ran %d times, want again after the refresh", runs.Load())
	}
	c.header.Del("Authorization")
	c.want(c.do("POST", "/api/v1/refresh", map[string]any{"refresh_token": in.body["refresh_token"]}), 200, "")
}

// What anybody can send must neither fill the log nor reach the store as something that it may refuse.
func TestAttack_RequestsOutsideThePrefixFillTheLog(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	w := newWorld(t, func(cfg *ostiary.Config) {
		cfg.URL += "/auth"
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	for range 50 {
		r, err := http.Get(w.server.URL + "/elsewhere")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}
	if n := strings.Count(log.String(), "outside the prefix"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestAttack_UserAgentThatIsNoText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.client()
	c.header.Set("User-Agent", "a\xff\xfeb")
	id := c.knock("ada@example.com", "").body["session_id"].(string)
	s, err := w.store.Sessions().Get(t.Context(), id)
	if err != nil || s.UserAgent != "ab" {
		t.Errorf("kept %q, %v", s.UserAgent, err)
	}
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }
