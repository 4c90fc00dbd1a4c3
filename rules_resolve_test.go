package ostiary_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
)

// outside is a provider that believes what the request says: the identity under test.
type outside struct{ kit *ostiary.Kit }

type outsideInput struct {
	ostiary.Deliver
	Subject  string `json:"subject"`
	Email    string `json:"email,omitempty"`
	Verified bool   `json:"verified,omitempty"`
	Trusted  bool   `json:"trusted,omitempty"`
	Link     string `json:"link,omitempty"`
}

func (o *outside) Name() string { return "outside" }

func (o *outside) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	o.kit = kit
	return []ostiary.Route{
		{Name: "outside", Pattern: "POST /api/v1/outside", Access: ostiary.Optional, Serve: ostiary.Prove(o.enter)},
		{Name: "outside.link", Pattern: "POST /api/v1/outside/link", Serve: ostiary.JSON(o.link)},
	}, nil
}

func (o *outside) enter(ctx context.Context, c *ostiary.Call, in *outsideInput) (ostiary.Proof, error) {
	id, err := o.kit.Resolve(ctx, c, ostiary.Identity{Provider: "acme", Subject: in.Subject, Email: in.Email, EmailVerified: in.Verified, Trusted: in.Trusted, Link: in.Link})
	return ostiary.Proof{UserID: id, AMR: []string{"fed"}}, err
}

func (o *outside) link(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (map[string]string, error) {
	secret, err := o.kit.StartLink(ctx, c, "acme")
	return map[string]string{"link": secret}, err
}

func withOutside(cfg *ostiary.Config) { cfg.Methods = append(cfg.Methods, &outside{}) }

func (c *client) userID(r reply) string {
	c.w.Helper()
	u, _ := r.body["user"].(map[string]any)
	id, _ := u["id"].(string)
	return id
}

func TestR1_ResolveBySubjectFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withOutside)
	c := w.client()
	first := c.want(c.do("POST", "/api/v1/outside", map[string]any{"subject": "1", "email": "ada@example.com", "verified": true, "trusted": true}), 200, "")
	again := c.want(c.do("POST", "/api/v1/outside", map[string]any{"subject": "1", "email": "other@example.com"}), 200, "")
	if c.userID(first) != c.userID(again) {
		t.Fatal("the subject decides, not the address")
	}
}

// The classical pre-hijackings: an account that somebody made with another person's address.
func TestR26_PreHijacking(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		claim  map[string]any
		status int
		code   string
	}{
		"unverified claim":        {map[string]any{"subject": "1", "email": "ada@example.com", "trusted": true}, 409, "link_required"},
		"provider is not trusted": {map[string]any{"subject": "1", "email": "ada@example.com", "verified": true}, 409, "link_required"},
		"neither":                 {map[string]any{"subject": "1", "email": "ADA@EXAMPLE.com"}, 409, "link_required"},
		"proven":                  {map[string]any{"subject": "1", "email": "Ada@Example.com", "verified": true, "trusted": true}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(cfg *ostiary.Config) { withOutside(cfg); withFactor(cfg) })
			attacker, tokens := w.client(), w.client()
			attacker.knock("ada@example.com", "") // never proved the address
			refresh := tokens.signInForTokens()
			victim := w.client()
			victim.want(victim.do("POST", "/api/v1/outside", tc.claim), tc.status, tc.code)
			if tc.status == 200 {
				attacker.want(attacker.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
				tokens.want(tokens.refresh(refresh), 401, "token_revoked")
				return
			}
			attacker.want(attacker.do("GET", "/api/v1/who", nil), 200, "")
		})
	}
}

func TestR26_FirstProofDeletesWhatTheAttackerLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) { withOutside(cfg); withFactor(cfg) })
	attacker := w.client()
	id := attacker.userID(attacker.knock("ada@example.com", ""))
	attacker.want(attacker.do("POST", "/api/v1/nod", nil), 204, "")
	link := attacker.want(attacker.do("POST", "/api/v1/outside/link", nil), 200, "").body["link"].(string)
	attacker.want(attacker.do("POST", "/api/v1/outside", map[string]any{"subject": "attacker", "link": link}), 200, "")
	victim := w.client()
	in := victim.want(victim.do("POST", "/api/v1/outside", map[string]any{"subject": "victim", "email": "ada@example.com", "verified": true, "trusted": true}), 200, "")
	if victim.userID(in) != id {
		t.Fatal("the victim did not get the account")
	}
	creds, err := w.store.Credentials().Of(t.Context(), id)
	if err != nil || len(creds) != 1 || creds[0].Lookup != "victim" {
		t.Fatalf("left behind: %+v, %v", creds, err)
	}
}

func TestR27_LinkingOnlyInTheSessionThatAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withOutside)
	ada, eve := w.client(), w.client()
	ada.knock("ada@example.com", "")
	eve.knock("eve@example.com", "")
	// A live session alone links nothing.
	made := ada.want(ada.do("POST", "/api/v1/outside", map[string]any{"subject": "stray"}), 200, "")
	if u := made.body["user"].(map[string]any); u["email"] != "" {
		t.Fatalf("a callback without a link ticket linked: %v", u)
	}
	ada.knock("ada@example.com", "")
	link := ada.want(ada.do("POST", "/api/v1/outside/link", nil), 200, "").body["link"]
	eve.want(eve.do("POST", "/api/v1/outside", map[string]any{"subject": "1", "link": link}), 400, "invalid_ticket")
	link = ada.want(ada.do("POST", "/api/v1/outside/link", nil), 200, "").body["link"]
	ada.want(ada.do("POST", "/api/v1/outside", map[string]any{"subject": "1", "link": link}), 200, "")
	link = ada.want(ada.do("POST", "/api/v1/outside/link", nil), 200, "").body["link"]
	ada.want(ada.do("POST", "/api/v1/outside", map[string]any{"subject": "stray", "link": link}), 409, "conflict")
	anon := w.client()
	link = ada.want(ada.do("POST", "/api/v1/outside/link", nil), 200, "").body["link"]
	anon.want(anon.do("POST", "/api/v1/outside", map[string]any{"subject": "2", "link": link}), 400, "invalid_ticket")
}

func TestResolveRaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withOutside)
	ids := map[string]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			c := w.client()
			r := c.do("POST", "/api/v1/outside", map[string]any{"subject": "1", "email": "ada@example.com", "verified": true, "trusted": true})
			mu.Lock()
			defer mu.Unlock()
			ids[c.userID(r)]++
		})
	}
	group.Wait()
	if len(ids) != 1 || ids[""] != 0 {
		t.Fatalf("one identity became %v", ids)
	}
}

func TestResolveSignUpClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) { withOutside(cfg); cfg.SignUp = ostiary.SignUpClosed })
	c := w.client()
	c.want(c.do("POST", "/api/v1/outside", map[string]any{"subject": "1"}), 403, "signup_closed")
}

func TestRequire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) {
		cfg.Roles = []authz.Role{{Name: "writer", Permissions: []string{"todos:read", "todos:write:own"}}}
	})
	c := w.client()
	in := c.knock("ada@example.com", "")
	id := c.userID(in)
	w.administer(func(ctx context.Context, tx *ostiary.AdminTx) error { return tx.SetRoles(ctx, id, []string{"writer"}) })
	ownerIs := func(owner string) ostiary.Check {
		return ostiary.Owner("todos:write", func(*http.Request) (string, error) { return owner, nil })
	}
	for name, tc := range map[string]struct {
		need   []ostiary.Check
		status int
	}{
		"signed in":           {nil, 200},
		"permission":          {[]ostiary.Check{ostiary.Permission("todos:read")}, 200},
		"no permission":       {[]ostiary.Check{ostiary.Permission("todos:delete")}, 403},
		"own only":            {[]ostiary.Check{ostiary.Permission("todos:write")}, 403},
		"owner":               {[]ostiary.Check{ownerIs(id)}, 200},
		"not the owner":       {[]ostiary.Check{ownerIs("somebody")}, 403},
		"role":                {[]ostiary.Check{ostiary.Role("writer")}, 200},
		"no role":             {[]ostiary.Check{ostiary.Role("admin")}, 403},
		"no second factor":    {[]ostiary.Check{ostiary.MFA()}, 401},
		"scope of ourselves":  {[]ostiary.Check{ostiary.Scope("todos")}, 200},
		"malformed is denied": {[]ostiary.Check{ostiary.Permission("todos:*")}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			h := w.auth.Require(tc.need...)(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(rw, ostiary.UserFrom(r.Context()).Email)
			}))
			r := httptest.NewRequest("GET", w.auth.Issuer()+"/todos", nil)
			r.AddCookie(in.Cookies()[0])
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			if rec.Code != tc.status {
				t.Fatalf("got %d %s, want %d", rec.Code, rec.Body, tc.status)
			}
			if tc.status == 200 && rec.Body.String() != "ada@example.com" {
				t.Fatal(rec.Body)
			}
		})
	}
}

// broken is a store whose reads fail: the answer must be 503, never 401 and never a guess.
type broken struct {
	*memory.Store
	mu   sync.Mutex
	down bool
}

func (b *broken) Sessions() store.Sessions { return brokenSessions{b.Store.Sessions(), b} }
func (b *broken) Log() store.Log           { return brokenLog{b.Store.Log(), b} }

type brokenSessions struct {
	store.Sessions
	b *broken
}

func (s brokenSessions) ByHash(ctx context.Context, h [32]byte) (store.Session, error) {
	if s.b.isDown() {
		return store.Session{}, errors.New("the network is gone")
	}
	return s.Sessions.ByHash(ctx, h)
}

type brokenLog struct {
	store.Log
	b *broken
}

func (l brokenLog) After(ctx context.Context, seq int64, limit int) ([]store.Entry, store.Position, error) {
	if l.b.isDown() {
		return nil, store.Position{}, errors.New("the network is gone")
	}
	return l.Log.After(ctx, seq, limit)
}

func (b *broken) isDown() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.down }

func (b *broken) set(down bool) { b.mu.Lock(); defer b.mu.Unlock(); b.down = down }

func TestR22_AStoreThatIsGoneIs503(t *testing.T) {
	t.Parallel()
	b := &broken{Store: memory.New()}
	w := newWorld(t, func(cfg *ostiary.Config) { cfg.Store = b })
	c := w.client()
	k := c.knock("ada@example.com", "").Cookies()[0]
	b.set(true)
	cold := w.client()
	cold.header.Set("Cookie", k.Name+"="+k.Value)
	r := cold.want(cold.do("GET", "/api/v1/who", nil), 503, "unavailable")
	if r.Header.Get("Retry-After") == "" {
		t.Fatal("503 without Retry-After")
	}
	b.set(false)
	cold.want(cold.do("GET", "/api/v1/who", nil), 200, "")
}
