// Package apitest drives an engine on the memory store over HTTP, for the tests of parts. People sign in by knocking:
// whoever names an address is let in. No program links it.
package apitest

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
	"github.com/ostiary/ostiary/store/memory"
)

// MasterKey is the master key of every world, so that a test can open what the engine has sealed.
const MasterKey = "4f7374696172792074657374206d6173746572206b65792c206e6f206f746865"

// World is a server with its clock.
type World struct {
	testing.TB
	Auth  *ostiary.Auth
	Store *memory.Store
	Knock *Knock

	mu  sync.Mutex
	now time.Time
}

// New starts a server with the given parts; change (nil: nothing) edits its configuration first.
func New(t testing.TB, change func(*ostiary.Config), parts ...ostiary.Part) *World {
	t.Helper()
	w := &World{TB: t, Store: memory.New(), now: time.Now(), Knock: &Knock{}}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	key, err := ostiary.ParseKey([]byte(MasterKey))
	if err != nil {
		t.Fatal(err)
	}
	cfg := ostiary.Config{
		URL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), Store: w.Store, Key: key, Now: w.Now,
		Methods: []ostiary.Method{w.Knock}, Parts: parts, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	if w.Auth, err = ostiary.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Auth.Close() })
	mux.Handle("/", w.Auth)
	return w
}

// Now is the clock; it moves only by [World.Advance].
func (w *World) Now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

// Advance moves the clock.
func (w *World) Advance(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.now = w.now.Add(d) }

// Administer runs a change as the command line does.
func (w *World) Administer(fn func(ctx context.Context, t *ostiary.AdminTx) error) {
	w.Helper()
	e, c := w.Auth.Engine(ostiary.ActorCLI)
	if err := e.Administer(w.Context(), c, func(t *ostiary.AdminTx) error { return fn(w.Context(), t) }); err != nil {
		w.Fatal(err)
	}
}

// Person makes a client who is signed in, with roles.
func (w *World) Person(email string, roles ...string) *Client {
	w.Helper()
	c := w.Client()
	c.SignIn(email)
	if len(roles) > 0 {
		w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error { return t.SetRoles(ctx, c.ID, roles) })
	}
	return c
}

// Client is one browser.
type Client struct {
	*World
	ID      string // of the person who signed in
	Session string // that he got
	Header  http.Header
	http    *http.Client
}

// Client makes a browser that nobody uses yet.
func (w *World) Client() *Client {
	jar, _ := cookiejar.New(nil)
	transport := &http.Transport{} // the shared one is closed by whichever server of a parallel test ends
	w.Cleanup(transport.CloseIdleConnections)
	return &Client{World: w, Header: http.Header{}, http: &http.Client{Jar: jar, Transport: transport}}
}

// SignIn knocks; an unknown address gets an account.
func (c *Client) SignIn(email string) Reply {
	c.Helper()
	r := c.Want("POST", "/api/v1/knock", map[string]any{"email": email}, 200, "")
	user, _ := r.Body["user"].(map[string]any)
	c.ID, _ = user["id"].(string)
	c.Session, _ = r.Body["session_id"].(string)
	return r
}

// Reply is an answer that was read.
type Reply struct {
	*http.Response
	Body map[string]any
	Raw  string
}

// Code is the stable code of a problem, or "".
func (r Reply) Code() string { s, _ := r.Body["code"].(string); return s }

// Location is where a problem says the input is wrong, or "".
func (r Reply) Location() string {
	fields, _ := r.Body["errors"].([]any)
	if len(fields) == 0 {
		return ""
	}
	first, _ := fields[0].(map[string]any)
	s, _ := first["location"].(string)
	return s
}

// Items is the page of a list.
func (r Reply) Items() []map[string]any {
	rows, _ := r.Body["items"].([]any)
	items := make([]map[string]any, 0, len(rows))
	for _, row := range rows {
		item, _ := row.(map[string]any)
		items = append(items, item)
	}
	return items
}

// Do sends body as JSON (nil: none; a string: as it is).
func (c *Client) Do(method, path string, body any) Reply {
	c.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			c.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(c.Context(), method, c.Auth.Issuer()+path, in)
	if err != nil {
		c.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.Header {
		req.Header[k] = v
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	r := Reply{Response: resp, Raw: string(raw)}
	_ = json.Unmarshal(raw, &r.Body) // what is no object has no code
	return r
}

// Want is Do with an expectation.
func (c *Client) Want(method, path string, body any, status int, code string) Reply {
	c.Helper()
	r := c.Do(method, path, body)
	if r.StatusCode != status || r.Code() != code {
		c.Fatalf("%s %s: got %d %q, want %d %q: %s", method, path, r.StatusCode, r.Code(), status, code, r.Raw)
	}
	return r
}
