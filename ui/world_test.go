package ui_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/method/magiclink"
	"github.com/ostiary/ostiary/method/passkey"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/method/totp"
	"github.com/ostiary/ostiary/store/memory"
	"github.com/ostiary/ostiary/ui"
)

const (
	ada      = "ada@example.com"
	grace    = "grace@example.com"
	firstPw  = "violet kettle on the roof"
	secondPw = "seven quiet lanterns burn"
)

// world is an engine with every method that has pages, account and pages on the memory store.
type world struct {
	*testing.T
	auth     *ostiary.Auth
	password *password.Method
	mails    *mails
	clock    *clock
}

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

// mails hands over what was sent, in order.
type mails struct{ sent chan ostiary.Notice }

func (m *mails) Deliver(_ context.Context, n ostiary.Notice) error {
	m.sent <- n
	return nil
}

// link waits for the next mail of a template and returns the path and query of its link.
func (w *world) link(template string) string {
	w.Helper()
	return strings.TrimPrefix(w.mail(template).Data["Link"], w.auth.Issuer())
}

// mail waits for the next mail of a template.
func (w *world) mail(template string) ostiary.Notice {
	w.Helper()
	for {
		select {
		case n := <-w.mails.sent:
			if n.Template == template {
				return n
			}
		case <-time.After(20 * time.Second):
			w.Fatalf("no mail %q came", template)
		}
	}
}

func newWorld(t *testing.T, look ui.Config, change func(*ostiary.Config)) *world {
	t.Helper()
	w := &world{T: t, mails: &mails{make(chan ostiary.Notice, 100)}, clock: &clock{t: time.Now()}}
	pages, err := ui.New(look)
	if err != nil {
		t.Fatal(err)
	}
	if w.password, err = password.New(password.Config{Hash: "argon2id:m=7168,t=5,p=1"}); err != nil {
		t.Fatal(err)
	}
	links, err := magiclink.New(magiclink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := passkey.New(passkey.Config{})
	if err != nil {
		t.Fatal(err)
	}
	programs, err := apikey.New(apikey.Config{})
	if err != nil {
		t.Fatal(err)
	}
	app := totp.New(totp.Config{})
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	key, err := ostiary.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg := ostiary.Config{
		URL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), Store: memory.New(), Key: key, Mailer: w.mails,
		Product: "Lighthouse", Methods: []ostiary.Method{w.password, app, app.BackupCodes(), links, keys}, Parts: []ostiary.Part{account.New(), programs, pages},
		TrustDevices: 30 * 24 * time.Hour, Now: w.clock.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	if w.auth, err = ostiary.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.auth.Close() })
	mux.Handle("/", w.auth)
	return w
}

// setupToken issues a token of the set-up link.
func (w *world) setupToken() string {
	w.Helper()
	token, err := w.password.SetupSecret(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return token
}

// visitor is one browser without scripts that follows no redirects.
type visitor struct {
	w      *world
	http   *http.Client
	header http.Header
}

func (w *world) visitor() *visitor {
	jar, _ := cookiejar.New(nil)
	stop := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	transport := &http.Transport{} // the shared one is closed by whichever server of a parallel test ends
	w.Cleanup(transport.CloseIdleConnections)
	return &visitor{w: w, http: &http.Client{Jar: jar, CheckRedirect: stop, Transport: transport}, header: http.Header{
		"Accept": {"text/html,application/xhtml+xml"}, "User-Agent": {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"},
	}}
}

// answer is a page, or where the browser is sent.
type answer struct {
	*http.Response
	text string
}

func (a answer) to() string { return a.Header.Get("Location") }

func (v *visitor) do(method, path, kind, body string) answer {
	v.w.Helper()
	r, err := http.NewRequestWithContext(v.w.Context(), method, v.w.auth.Issuer()+path, strings.NewReader(body))
	if err != nil {
		v.w.Fatal(err)
	}
	r.Header = v.header.Clone()
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	res, err := v.http.Do(r)
	if err != nil {
		v.w.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.w.Fatal(err)
	}
	return answer{res, string(b)}
}

func (v *visitor) get(path string) answer { v.w.Helper(); return v.do("GET", path, "", "") }

func (v *visitor) post(path string, pairs ...string) answer {
	v.w.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.do("POST", path, "application/x-www-form-urlencoded", form.Encode())
}

// goes demands a redirect.
func (v *visitor) goes(a answer, to string) {
	v.w.Helper()
	if a.StatusCode != http.StatusSeeOther || a.to() != to {
		v.w.Fatalf("%s %s: got %d to %q, want 303 to %q: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.to(), to, a.text)
	}
}

// shows demands a well-made page of a status that holds a text.
func (v *visitor) shows(a answer, status int, texts ...string) {
	v.w.Helper()
	if a.StatusCode != status {
		v.w.Fatalf("%s %s: got %d, want %d: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.text)
	}
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			v.w.Fatalf("%s %s: no %q in %s", a.Request.Method, a.Request.URL.Path, text, a.text)
		}
	}
	wellMade(v.w.T, a)
}

// joins signs somebody up and follows the mail's link.
func (v *visitor) joins(email, pw string) {
	v.w.Helper()
	v.goes(v.post("/signup", "email", email, "password", pw), "/account?done=welcome")
	link := v.w.link("verify")
	v.shows(v.get(link), 200, "Confirm address")
	v.goes(v.post("/verify", "token", strings.TrimPrefix(link, "/verify?token=")), "/login?done=verified")
}
