package magiclink_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/apitest"
	"github.com/ostiary/ostiary/method/magiclink"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
)

const (
	asks     = "/api/v1/magic-link"
	consumes = "/api/v1/magic-link/consume"
	ada      = "ada@example.com"
)

type fields = map[string]any

type world struct {
	*apitest.World
	mails  chan ostiary.Notice
	queued atomic.Int64
	writes atomic.Int64
}

// Deliver keeps what was sent.
func (w *world) Deliver(_ context.Context, n ostiary.Notice) error {
	w.mails <- n
	return nil
}

// counting counts what is written.
type counting struct {
	store.Store
	w *world
}

func (s *counting) Do(ctx context.Context, fn func(store.Tx) error) error {
	s.w.writes.Add(1)
	return s.Store.Do(ctx, func(tx store.Tx) error { return fn(&countingTx{tx, s.w}) })
}

type countingTx struct {
	store.Tx
	w *world
}

func (t *countingTx) Messages() store.Messages { return &countingMessages{t.Tx.Messages(), t.w} }

type countingMessages struct {
	store.Messages
	w *world
}

func (m *countingMessages) Enqueue(ctx context.Context, list ...store.Message) error {
	m.w.queued.Add(int64(len(list)))
	return m.Messages.Enqueue(ctx, list...)
}

type option func(*ostiary.Config)

func newWorld(t *testing.T, cfg magiclink.Config, more ...option) *world {
	t.Helper()
	m, err := magiclink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{mails: make(chan ostiary.Notice, 1000)}
	w.World = apitest.New(t, func(c *ostiary.Config) {
		c.Methods = append(c.Methods, m, &nod{})
		c.Mailer = w
		for _, change := range more {
			change(c)
		}
		if c.Volatile == nil {
			c.Volatile = c.Store.(store.Volatile)
		}
		c.Store = &counting{c.Store, w}
	})
	return w
}

func onSQLite(t *testing.T) option {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return func(c *ostiary.Config) { c.Store, c.Volatile = db, db }
}

// person adds somebody whose address is proven.
func (w *world) person(email string) (id string) {
	w.Helper()
	w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error {
		u, err := t.CreateUser(ctx, ostiary.NewUser{Email: email, EmailVerified: true}, nil)
		id = u.ID
		return err
	})
	return id
}

func (w *world) disable(id string) {
	w.Helper()
	w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error { return t.SetStatus(ctx, id, store.Disabled) })
}

// letter is one mail, and the ticket that belongs to it.
type letter struct{ ticket, token, code string }

// ask asks for a mail and waits for it.
func (w *world) ask(c *apitest.Client, email string) letter {
	w.Helper()
	l := letter{ticket: w.askOnly(c, email)}
	n := w.mail(strings.ToLower(strings.TrimSpace(email)), "magic_link")
	return l.with(w.TB, n)
}

func (w *world) askOnly(c *apitest.Client, email string) (ticket string) {
	w.Helper()
	ticket, _ = c.Want("POST", asks, fields{"email": email}, 202, "").Body["ticket"].(string)
	return ticket
}

func (l letter) with(t testing.TB, n ostiary.Notice) letter {
	t.Helper()
	link, err := url.Parse(n.Data["Link"])
	if err != nil || link.Path != "/magic" || len(n.Data["Code"]) != 6 {
		t.Fatalf("mail %v: %v", n.Data, err)
	}
	l.token, l.code = link.Query().Get("token"), n.Data["Code"]
	return l
}

func (w *world) mail(to, template string) ostiary.Notice {
	w.Helper()
	select {
	case n := <-w.mails:
		if n.To != to || n.Template != template {
			w.Fatalf("got %s to %s, want %s to %s", n.Template, n.To, template, to)
		}
		return n
	case <-time.After(10 * time.Second):
		w.Fatalf("no mail %s to %s", template, to)
		return ostiary.Notice{}
	}
}

// wrong is another code.
func (l letter) wrong() string { return string(rune('0'+(l.code[0]-'0'+1)%10)) + l.code[1:] }

// nod is a second factor: the right answer is "yes".
type nod struct{ kit *ostiary.Kit }

func (n *nod) Name() string  { return "nod" }
func (n *nod) Field() string { return "nod" }
func (*nod) Guessable() bool { return true }

func (n *nod) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	n.kit = kit
	return []ostiary.Route{{Name: "nod.enrol", Pattern: "POST /api/v1/nod", Serve: ostiary.JSON(n.enrol)}}, nil
}

func (n *nod) enrol(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	return ostiary.None{}, n.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		_, err := t.Credentials.Create(ctx, ostiary.Credential{UserID: c.Principal.User.ID, Factor: true})
		return err
	})
}

func (n *nod) Verify(_ context.Context, _ *ostiary.Call, userID string, response json.RawMessage) (ostiary.Proof, error) {
	if string(response) != `"yes"` {
		return ostiary.Proof{}, ostiary.Fail(http.StatusUnauthorized, "mfa_failed", "no")
	}
	return ostiary.Proof{UserID: userID, AMR: []string{"nod"}}, nil
}

// signedIn says whether a client's session is good.
func signedIn(c *apitest.Client) bool {
	c.Helper()
	return c.Do("POST", "/api/v1/reauthenticate", fields{"method": "none"}).StatusCode == 400
}

// essence leaves out what may differ between two equal answers.
func essence(r apitest.Reply) string {
	h := r.Header.Clone()
	for _, k := range []string{"X-Request-Id", "Date", "Ratelimit", "Set-Cookie"} {
		h.Del(k)
	}
	var b strings.Builder
	_ = h.Write(&b)
	return r.Status + "\n" + b.String()
}

// together runs calls at the same moment and counts the answers by status.
func together(calls ...func() int) map[int]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	counts, start := map[int]int{}, make(chan struct{})
	for _, call := range calls {
		all.Go(func() {
			<-start
			status := call()
			mu.Lock()
			counts[status]++
			mu.Unlock()
		})
	}
	close(start)
	all.Wait()
	return counts
}

func trustProxy(c *ostiary.Config) {
	c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}
