package ostiary_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
)

// knock is the simplest method there can be: whoever names an address is let in. It shows that a method needs no more than
// this, and that everything else is done by the engine.
type knock struct{ kit *ostiary.Kit }

type knockInput struct {
	ostiary.Deliver
	Email string `json:"email"`
}

func (in *knockInput) AccountKey() string { return in.Email }

func (k *knock) Name() string { return "knock" }

func (k *knock) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	k.kit = kit
	return []ostiary.Route{
		{Name: "knock", Pattern: "POST /api/v1/knock", Access: ostiary.Public, Guess: true, Serve: ostiary.Prove(k.enter)},
		{Name: "knock.change", Pattern: "POST /api/v1/knock/change", Serve: ostiary.JSON(k.change)},
		{Name: "knock.who", Pattern: "GET /api/v1/who", Serve: ostiary.JSON(k.who)},
	}, nil
}

func (k *knock) enter(ctx context.Context, c *ostiary.Call, in *knockInput) (ostiary.Proof, error) {
	if in.Email == "wrong@example.com" {
		return ostiary.Proof{}, ostiary.Fail(401, "invalid_credentials", "no")
	}
	u, err := k.kit.UserByEmail(ctx, in.Email)
	if err == nil {
		return ostiary.Proof{UserID: u.ID, AMR: []string{"knock"}}, nil
	}
	err = k.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		u, err = t.CreateUser(ctx, ostiary.NewUser{Email: in.Email})
		return err
	})
	return ostiary.Proof{UserID: u.ID, AMR: []string{"knock"}}, err
}

func (k *knock) change(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	return ostiary.None{}, k.kit.Do(ctx, c, func(t *ostiary.Tx) error { return t.EndSessions(ctx, c.Principal.User.ID) })
}

func (k *knock) who(_ context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.User, error) {
	return *c.Principal.User, nil
}

// clock is a wall clock that only moves when told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type world struct {
	*testing.T
	auth   *ostiary.Auth
	server *httptest.Server
	store  *memory.Store
	clock  *clock
	mails  *mails
}

// mails keeps what was sent.
type mails struct {
	mu   sync.Mutex
	sent []ostiary.Notice
}

func (m *mails) Deliver(_ context.Context, n ostiary.Notice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, n)
	return nil
}

func newWorld(t *testing.T, change func(*ostiary.Config)) *world {
	t.Helper()
	w := &world{T: t, store: memory.New(), clock: &clock{t: time.Now()}, mails: &mails{}}
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	key, err := ostiary.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg := ostiary.Config{
		URL: strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1), Store: w.store, Key: key, Now: w.clock.now, Mailer: w.mails,
		Methods: []ostiary.Method{&knock{}}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	w.auth, err = ostiary.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.auth.Close() })
	mux.Handle("/", w.auth)
	return w
}

// client is one browser.
type client struct {
	w      *world
	http   *http.Client
	header http.Header
}

func (w *world) client() *client {
	jar, _ := cookiejar.New(nil)
	transport := &http.Transport{} // the shared one is closed by whichever server of a parallel test ends
	w.Cleanup(transport.CloseIdleConnections)
	return &client{w: w, http: &http.Client{Jar: jar, Transport: transport}, header: http.Header{}}
}

type reply struct {
	*http.Response
	body map[string]any
	raw  string
}

func (r reply) code() string { s, _ := r.body["code"].(string); return s }

func (c *client) do(method, path string, body any) reply {
	c.w.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			c.w.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.w.auth.Issuer()+path, in)
	if err != nil {
		c.w.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.header {
		req.Header[k] = v
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.w.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	r := reply{Response: resp, raw: string(raw)}
	_ = json.Unmarshal(raw, &r.body)
	return r
}

func (c *client) want(r reply, status int, code string) reply {
	c.w.Helper()
	if r.StatusCode != status || r.code() != code {
		c.w.Fatalf("%s %s: got %d %q, want %d %q: %s", r.Request.Method, r.Request.URL.Path, r.StatusCode, r.code(), status, code, r.raw)
	}
	return r
}

func (c *client) knock(email string, delivery store.Delivery) reply {
	c.w.Helper()
	return c.want(c.do("POST", "/api/v1/knock", map[string]any{"email": email, "delivery": delivery}), 200, "")
}

func TestSessionFromSignInToSignOut(t *testing.T) {
	t.Parallel()
	c := newWorld(t, nil).client()
	c.want(c.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
	in := c.knock("ada@example.com", "")
	if in.body["access_token"] != nil || in.body["session_id"] == "" {
		t.Fatalf("a cookie session must hold no token: %s", in.raw)
	}
	who := c.want(c.do("GET", "/api/v1/who", nil), 200, "")
	if who.body["email"] != "ada@example.com" {
		t.Fatalf("got %s", who.raw)
	}
	c.want(c.do("POST", "/api/v1/logout", nil), 204, "")
	c.want(c.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	for delivery, want := range map[store.Delivery]struct{ cookies, access, refresh bool }{
		"session": {true, false, false}, "split": {true, true, false}, "cookies": {true, false, false}, "body": {false, true, true},
	} {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			c := newWorld(t, nil).client()
			in := c.knock("ada@example.com", delivery)
			if got := len(in.Cookies()) > 0; got != want.cookies {
				t.Errorf("cookies: %v", in.Cookies())
			}
			access, _ := in.body["access_token"].(string)
			refresh, _ := in.body["refresh_token"].(string)
			if (access != "") != want.access || (refresh != "") != want.refresh {
				t.Fatalf("got %s", in.raw)
			}
			if access != "" {
				c.header.Set("Authorization", "Bearer "+access)
			}
			c.want(c.do("GET", "/api/v1/who", nil), 200, "")
		})
	}
}

func TestRefreshAndTheft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.client()
	first := c.knock("ada@example.com", "body").body["refresh_token"].(string)
	second := c.want(c.do("POST", "/api/v1/refresh", map[string]any{"refresh_token": first}), 200, "").body["refresh_token"].(string)
	again := c.want(c.do("POST", "/api/v1/refresh", map[string]any{"refresh_token": first}), 200, "").body["refresh_token"].(string)
	if again != second {
		t.Fatal("a repeat must get the same successor")
	}
	third := c.want(c.do("POST", "/api/v1/refresh", map[string]any{"refresh_token": second}), 200, "").body
	c.header.Set("Authorization", "Bearer "+third["access_token"].(string))
	c.want(c.do("GET", "/api/v1/who", nil), 200, "")
	anon := w.client()
	anon.want(anon.do("POST", "/api/v1/refresh", map[string]any{"refresh_token": first}), 401, "token_reused")
	c.want(c.do("GET", "/api/v1/who", nil), 401, "token_revoked")
	anon.want(anon.do("POST", "/api/v1/refresh", map[string]any{"refresh_token": third["refresh_token"]}), 401, "token_revoked")
}
