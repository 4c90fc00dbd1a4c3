package totp_test

import (
	"context"
	"encoding/base32"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/apitest"
	"github.com/ostiary/ostiary/method/totp"
	"github.com/ostiary/ostiary/store/sqlite"
)

const (
	setup   = "/api/v1/mfa/totp/setup"
	confirm = "/api/v1/mfa/totp/confirm"
	remove  = "/api/v1/mfa/totp"
	codes   = "/api/v1/mfa/backup-codes"
	again   = "/api/v1/reauthenticate"
	ada     = "ada@example.com"
)

// post keeps what was sent.
type post struct{ mails chan ostiary.Notice }

func (p *post) Deliver(_ context.Context, n ostiary.Notice) error {
	p.mails <- n
	return nil
}

// want waits for a mail of the template.
func (p *post) want(t *testing.T, template string) ostiary.Notice {
	t.Helper()
	for late := time.After(10 * time.Second); ; {
		select {
		case n := <-p.mails:
			if n.Template == template {
				return n
			}
		case <-late:
			t.Fatalf("no mail %q was sent", template)
		}
	}
}

func newWorld(t *testing.T, change func(*ostiary.Config)) (*apitest.World, *post) {
	t.Helper()
	p := &post{make(chan ostiary.Notice, 1000)}
	return apitest.New(t, func(c *ostiary.Config) {
		m := totp.New(totp.Config{Issuer: "Example"})
		c.Methods = append(c.Methods, m, m.BackupCodes())
		c.Mailer = p
		if change != nil {
			change(c)
		}
	}), p
}

func unlimited(c *ostiary.Config) { c.InsecureNoRateLimits = true }

// onDisk keeps everything in SQLite, where transactions wait for each other.
func onDisk(t *testing.T) func(*ostiary.Config) {
	return func(c *ostiary.Config) {
		db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		c.Store, c.InsecureNoRateLimits = db, true
	}
}

// app is somebody's authenticator.
type app struct {
	w      *apitest.World
	secret []byte
}

// code is what the app shows, steps from now.
func (a *app) code(steps int64) string {
	return totp.HOTP(a.secret, uint64(a.w.Now().Unix()/30+steps))
}

// scan starts a setup.
func scan(c *apitest.Client) *app {
	c.Helper()
	r := c.Want("POST", setup, nil, 200, "")
	text, _ := r.Body["secret"].(string)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(secret) != 20 {
		c.Fatalf("secret %q: %v", text, err)
	}
	return &app{c.World, secret}
}

// enrol signs somebody in and enables an authenticator; its step is used up.
func enrol(w *apitest.World, email string) (*apitest.Client, *app, []string) {
	w.Helper()
	c := w.Person(email)
	a := scan(c)
	return c, a, list(c.Want("POST", confirm, map[string]any{"code": a.code(0)}, 200, ""))
}

func list(r apitest.Reply) []string {
	rows, _ := r.Body["backup_codes"].([]any)
	var all []string
	for _, row := range rows {
		all = append(all, row.(string))
	}
	return all
}

// ticket passes the first factor.
func ticket(c *apitest.Client, email string) any {
	c.Helper()
	r := c.Want("POST", "/api/v1/knock", map[string]any{"email": email}, 200, "")
	if r.Body["mfa_required"] != true || r.Body["user"] != nil || len(r.Cookies()) != 0 {
		c.Fatalf("no second factor was asked for: %s", r.Raw)
	}
	return r.Body["mfa_token"]
}

func second(c *apitest.Client, ticket any, method, code string) apitest.Reply {
	c.Helper()
	return c.Do("POST", "/api/v1/login/mfa", map[string]any{"mfa_token": ticket, "method": method, "code": code})
}

func want(t *testing.T, r apitest.Reply, status int, code string) {
	t.Helper()
	if r.StatusCode != status || r.Code() != code {
		t.Fatalf("%s: got %d %q, want %d %q: %s", r.Request.URL.Path, r.StatusCode, r.Code(), status, code, r.Raw)
	}
}

// race runs fn n times at once and counts those that succeeded.
func race(n int, fn func(i int) apitest.Reply) (won int) {
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			r := fn(i)
			mu.Lock()
			defer mu.Unlock()
			if r.StatusCode == 200 {
				won++
			}
		})
	}
	group.Wait()
	return won
}
