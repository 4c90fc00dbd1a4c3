package password_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
	"github.com/ostiary/ostiary/store/sqlite"
)

// quick is the cheapest hash that a configuration may name.
const quick = "argon2id:m=7168,t=5,p=1"

// Passwords that no rule refuses.
const (
	good  = "purple tractor under moonlight"
	other = "seven brittle umbrellas sing"
)

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

// spy counts what is written.
type spy struct {
	store.Store
	writes, queued atomic.Int64
}

func (s *spy) Do(ctx context.Context, fn func(store.Tx) error) error {
	s.writes.Add(1)
	return s.Store.Do(ctx, func(tx store.Tx) error { return fn(&spyTx{tx, s}) })
}

type spyTx struct {
	store.Tx
	spy *spy
}

func (t *spyTx) Messages() store.Messages { return &spyMessages{t.Tx.Messages(), t.spy} }

type spyMessages struct {
	store.Messages
	spy *spy
}

func (m *spyMessages) Enqueue(ctx context.Context, list ...store.Message) error {
	m.spy.queued.Add(int64(len(list)))
	return m.Messages.Enqueue(ctx, list...)
}

type backend interface {
	store.Store
	store.Volatile
}

type world struct {
	*testing.T
	auth   *ostiary.Auth
	method *password.Method
	hashes *atomic.Int64
	spy    *spy
	clock  *clock
	mails  chan ostiary.Notice
	logs   *bytes.Buffer
}

type settings struct {
	engine   func(*ostiary.Config)
	method   password.Config
	store    backend
	mailless bool
}

// Deliver keeps what was sent.
func (w *world) Deliver(_ context.Context, n ostiary.Notice) error {
	w.mails <- n
	return nil
}

func newWorld(t *testing.T, s settings) *world {
	t.Helper()
	if s.store == nil {
		s.store = memory.New()
	}
	w := &world{T: t, clock: &clock{t: time.Now()}, mails: make(chan ostiary.Notice, 1000), spy: &spy{Store: s.store}, logs: &bytes.Buffer{}}
	if s.method.Hash == "" {
		s.method.Hash = quick
	}
	var err error
	if w.method, err = password.New(s.method); err != nil {
		t.Fatal(err)
	}
	w.hashes = password.CountHashes(w.method)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	key, err := ostiary.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg := ostiary.Config{
		URL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), Store: w.spy, Volatile: s.store, Key: key, Now: w.clock.now, Mailer: w,
		Methods: []ostiary.Method{w.method}, Log: slog.New(slog.NewTextHandler(&lockedWriter{w: w.logs}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if s.mailless {
		cfg.Mailer = nil
	}
	if s.engine != nil {
		s.engine(&cfg)
	}
	if w.auth, err = ostiary.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.auth.Close() })
	mux.Handle("/", w.auth)
	return w
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// onEveryStore runs a test on memory and on SQLite.
func onEveryStore(t *testing.T, f func(t *testing.T, s settings)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		f(t, settings{store: memory.New()})
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(t, settings{store: db})
	})
}

func quiet(c *ostiary.Config)    { c.SignUpQuiet = true }
func verified(c *ostiary.Config) { c.RequireVerifiedEmail = true }

// mail waits for the next mail, which must be this one, and returns it with the token of its link.
func (w *world) mail(to, template string) (ostiary.Notice, string) {
	w.Helper()
	select {
	case n := <-w.mails:
		if n.To != to || n.Template != template {
			w.Fatalf("got mail %s to %s, want %s to %s", n.Template, n.To, template, to)
		}
		link, err := url.Parse(n.Data["Link"])
		if err != nil || !strings.HasPrefix(n.Data["Link"], w.auth.Issuer()+"/") {
			w.Fatalf("link %q: %v", n.Data["Link"], err)
		}
		return n, link.Query().Get("token")
	case <-time.After(10 * time.Second):
		w.Fatalf("no mail %s to %s", template, to)
		return ostiary.Notice{}, ""
	}
}

// cost is what was done meanwhile.
type cost struct{ hashes, writes, mails int64 }

func (w *world) cost(f func()) cost {
	h, d, m := w.hashes.Load(), w.spy.writes.Load(), w.spy.queued.Load()
	f()
	return cost{w.hashes.Load() - h, w.spy.writes.Load() - d, w.spy.queued.Load() - m}
}

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

type fields = map[string]any

func (c *client) send(method, path string, body any) (reply, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return reply{}, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.w.auth.Issuer()+"/api/v1"+path, in)
	if err != nil {
		return reply{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.header {
		req.Header[k] = v
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	r := reply{Response: resp, raw: string(raw)}
	_ = json.Unmarshal(raw, &r.body)
	return r, err
}

// post sends and demands an answer.
func (c *client) post(path string, body any, status int, code string) reply {
	c.w.Helper()
	r, err := c.send("POST", path, body)
	if err != nil {
		c.w.Fatal(err)
	}
	if r.StatusCode != status || r.code() != code {
		c.w.Fatalf("POST %s: got %d %q, want %d %q: %s", path, r.StatusCode, r.code(), status, code, r.raw)
	}
	return r
}

func (c *client) register(email, pass string) reply {
	c.w.Helper()
	return c.post("/register", fields{"email": email, "password": pass}, 201, "")
}

func (c *client) login(email, pass string, status int, code string) reply {
	c.w.Helper()
	return c.post("/login", fields{"email": email, "password": pass}, status, code)
}

// signedIn says whether the client's session or token is still good: the endpoint refuses the password, not the caller.
func (c *client) signedIn() bool {
	c.w.Helper()
	r, err := c.send("POST", "/reauthenticate", fields{"method": "none"})
	if err != nil {
		c.w.Fatal(err)
	}
	return r.StatusCode == 400
}

// forget drops everything that could differ between two equal answers.
func (r reply) essence() string {
	h := r.Header.Clone()
	for _, k := range []string{"X-Request-Id", "Date", "Ratelimit"} {
		h.Del(k)
	}
	body := r.raw
	if id, _ := r.body["request_id"].(string); id != "" {
		body = strings.ReplaceAll(body, id, "ID")
	}
	var b strings.Builder
	_ = h.Write(&b)
	return r.Status + "\n" + b.String() + "\n" + body
}

// together runs n calls at the same moment and counts the answers by status.
func together(n int, f func(i int) (reply, error)) map[int]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	counts := map[int]int{}
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			r, err := f(i)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				counts[0]++
				return
			}
			counts[r.StatusCode]++
		})
	}
	close(start)
	all.Wait()
	return counts
}
