package ostiary_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

const ada, bob = "ada@example.com", "bob@example.com"

func newStreet(t *testing.T, change func(*ostiary.Config)) *street {
	t.Helper()
	s := &street{secrets: &secrets{}}
	s.world = newWorld(t, func(cfg *ostiary.Config) {
		cfg.Methods = append(cfg.Methods, s.secrets)
		if change != nil {
			change(cfg)
		}
	})
	s.moveIn(ada, bob)
	return s
}

func (s *street) moveIn(emails ...string) {
	s.Helper()
	s.administer(func(ctx context.Context, tx *ostiary.AdminTx) error {
		for _, email := range emails {
			if _, err := tx.CreateUser(ctx, ostiary.NewUser{Email: email, EmailVerified: true}, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// stranger is the i-th of ever new addresses.
func stranger(i int) string {
	return netip.AddrFrom4([4]byte{byte(11 + i>>16), byte(i >> 8), byte(i), 9}).String()
}

// besiege guesses from ever new addresses until the account is refused, and returns how many guesses were looked at.
func (s *street) besiege(email string) int {
	s.Helper()
	for n := range 1000 {
		rec := s.browser(stranger(n*7)).tries(email, "wrong")
		if rec.Code == http.StatusTooManyRequests {
			return n
		}
		if rec.Code != http.StatusUnauthorized {
			s.Fatalf("got %d %s", rec.Code, rec.Body)
		}
	}
	s.Fatal("never refused")
	return 0
}

// TestR37_WaitsGrowAndGuessesAreBounded lets an attacker with an address for each guess do what he can for four days.
func TestR37_WaitsGrowAndGuessesAreBounded(t *testing.T) {
	t.Parallel()
	for _, email := range []string{ada, "nobody@example.com"} {
		s := newStreet(t, nil)
		begin, waits, guesses := s.clock.now(), []time.Duration{}, [4]int{}
		for i := 0; ; i++ {
			day := int(s.clock.now().Sub(begin) / (24 * time.Hour))
			if day > 3 {
				break
			}
			rec := s.browser(stranger(i)).tries(email, "wrong")
			if rec.Code == http.StatusUnauthorized {
				guesses[day]++
				continue
			}
			seconds, err := strconv.Atoi(rec.Header().Get("Retry-After"))
			if err != nil || rec.Code != http.StatusTooManyRequests {
				t.Fatalf("%s: %d, Retry-After: %v", email, rec.Code, err)
			}
			waits = append(waits, time.Duration(seconds)*time.Second)
			s.clock.advance(time.Duration(seconds) * time.Second)
		}
		if guesses[0] < 30 || guesses[0] > 60 || guesses[1] > 30 || guesses[2] > 30 || guesses[3] > 30 {
			t.Errorf("%s: guesses on each day: %v", email, guesses)
		}
		for i := 1; i < len(waits); i++ {
			if waits[i] < waits[i-1] {
				t.Errorf("%s: a wait of %s came after one of %s", email, waits[i], waits[i-1])
			}
		}
		if first, last := waits[0], waits[len(waits)-1]; first != 3*time.Minute || last != 48*time.Minute {
			t.Errorf("%s: the first wait is %s, the last one %s", email, first, last)
		}
	}
}

func TestR37_ParallelGuessesAreCountedBeforeTheyAreLookedAt(t *testing.T) {
	t.Parallel()
	s := newStreet(t, nil)
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() { s.browser(stranger(i*7)).tries(ada, "wrong") })
	}
	group.Wait()
	if n := s.secrets.looked.Load(); n != 5 {
		t.Errorf("%d guesses were looked at, want 5", n)
	}
}

// TestR37_NewAddressesOfANetwork: who owns an IPv6 /48 has a million million addresses of his own, and one of them is
// nothing. Each guess is at another account, so that only the source counts.
func TestR37_NewAddressesOfANetwork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		address func(i int) string
		most    int
	}{
		"one /64":           {func(i int) string { return fmt.Sprintf("2001:db8:1:1::%x", i+1) }, 20},
		"one /56":           {func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i%256) }, 8 * 20},
		"one IPv4, spoofed": {func(int) string { return "203.0.113.9" }, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreet(t, nil)
			for i := range 600 {
				b := s.browser(c.address(i))
				rec := b.sends("/api/v1/enter", map[string]any{"email": fmt.Sprintf("u%d@example.com", i), "secret": "wrong"},
					http.Header{"X-Forwarded-For": {stranger(i)}, "Forwarded": {"for=" + stranger(i)}, "X-Real-Ip": {stranger(i)}})
				if rec.Code == http.StatusTooManyRequests && rec.Header().Get("Retry-After") == "" {
					t.Fatal("429 without Retry-After")
				}
			}
			if n := int(s.secrets.looked.Load()); n > c.most || n < 20 {
				t.Errorf("%d guesses, want at most %d", n, c.most)
			}
		})
	}
}

// TestR37_PasswordsDoNotCountForLinks: wrong passwords from a network keep nobody there from ways in that are no passwords.
func TestR37_PasswordsDoNotCountForLinks(t *testing.T) {
	t.Parallel()
	s := newStreet(t, withFactor)
	b := s.browser("203.0.113.9")
	for i := range 30 {
		b.tries(fmt.Sprintf("u%d@example.com", i), "wrong")
	}
	b.wants(429, b.tries(bob, "right"))
	link := map[string]any{"mfa_token": "nothing", "method": "nod", "code": "yes"}
	for range 20 {
		b.wants(400, b.sends("/api/v1/login/mfa", link, nil))
	}
	b.wants(429, b.sends("/api/v1/login/mfa", link, nil))
}

func TestR37_EveryRefusalSaysHowLong(t *testing.T) {
	t.Parallel()
	s := newStreet(t, nil)
	b := s.browser("203.0.113.9")
	for path, body := range map[string]any{"/api/v1/logout": map[string]any{}, "/api/v1/enter": map[string]any{"email": ada, "secret": "wrong"}} {
		refused := 0
		for range 80 {
			if rec := b.sends(path, body, nil); rec.Code == http.StatusTooManyRequests {
				refused++
				if n, err := strconv.Atoi(rec.Header().Get("Retry-After")); err != nil || n < 1 {
					t.Fatalf("%s: Retry-After %q", path, rec.Header().Get("Retry-After"))
				}
			}
		}
		if refused == 0 {
			t.Errorf("%s: never refused", path)
		}
	}
}

// writes counts what becomes durable.
type writes struct {
	store.Store
	volatile store.Volatile
	n        atomic.Int64
}

func (w *writes) Do(ctx context.Context, fn func(store.Tx) error) error {
	w.n.Add(1)
	return w.Store.Do(ctx, fn)
}
func (w *writes) Sessions() store.Sessions { return w.volatile.Sessions() }
func (w *writes) Counters() store.Counters { return countedCounters{w.volatile.Counters(), w} }
func (w *writes) Tickets() store.Tickets   { return countedTickets{w.Store.Tickets(), w} }

type countedCounters struct {
	store.Counters
	w *writes
}

func (c countedCounters) Take(ctx context.Context, key string, now time.Time, rates ...store.Rate) (store.Allowance, error) {
	a, err := c.Counters.Take(ctx, key, now, rates...)
	if a.OK {
		c.w.n.Add(1)
	}
	return a, err
}

func (c countedCounters) Refund(ctx context.Context, key string, now time.Time, rates ...store.Rate) error {
	c.w.n.Add(1)
	return c.Counters.Refund(ctx, key, now, rates...)
}

func (c countedCounters) Reset(ctx context.Context, key string) error {
	c.w.n.Add(1)
	return c.Counters.Reset(ctx, key)
}

type countedTickets struct {
	store.Tickets
	w *writes
}

func (t countedTickets) Attempt(ctx context.Context, kind string, hash [32]byte) (int, error) {
	t.w.n.Add(1)
	return t.Tickets.Attempt(ctx, kind, hash)
}

// TestR37_OneWrite: a failed sign-in costs one durable write, and one that is refused none.
func TestR37_OneWrite(t *testing.T) {
	t.Parallel()
	var w *writes
	s := newStreet(t, func(cfg *ostiary.Config) {
		w = &writes{Store: cfg.Store, volatile: cfg.Store.(store.Volatile)}
		cfg.Store, cfg.Passive = w, true
	})
	cost := func(try func()) int64 {
		before := w.n.Load()
		try()
		return w.n.Load() - before
	}
	for _, email := range []string{ada, "nobody@example.com"} {
		for i := range 5 {
			if n := cost(func() { s.browser(stranger(i)).tries(email, "wrong") }); n != 1 {
				t.Errorf("%s: failure %d wrote %d times", email, i, n)
			}
		}
		if n := cost(func() { s.browser(stranger(9)).tries(email, "right") }); n != 0 {
			t.Errorf("%s: a refusal wrote %d times", email, n)
		}
	}
	busy := s.browser(stranger(1))
	if n := cost(func() { busy.wants(503, busy.tries(bob, "busy")) }); n != 1 {
		t.Errorf("a server that is too busy wrote %d times", n)
	}
	if n := cost(func() {
		busy.wants(400, busy.sends("/api/v1/enter", map[string]any{"email": bob, "delivery": "pigeon"}, nil))
	}); n != 0 {
		t.Errorf("a bad request wrote %d times", n)
	}
}

// TestR37_Spray tries one secret on many accounts from many addresses.
func TestR37_Spray(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	s := newStreet(t, func(cfg *ostiary.Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	owner := s.browser("198.51.100.7")
	owner.wants(200, owner.tries(ada, "right"))
	for i := range 150 {
		s.browser(stranger(i)).tries(fmt.Sprintf("u%d@example.com", i), "wrong")
	}
	if n := s.besiege(bob); n != 2 {
		t.Errorf("strangers had %d guesses during a spray, want 2", n)
	}
	for range 5 { // nothing of it on a known device
		owner.wants(401, owner.tries(ada, "wrong"))
	}
	s.eventually("one event", func() bool { return len(s.events("attack.spray")) == 1 })
	for i := range 100 {
		s.browser(stranger(1000+i)).tries(fmt.Sprintf("v%d@example.com", i), "wrong")
	}
	s.clock.advance(11 * time.Minute)
	if n := s.besiege("carol@example.com"); n != 5 {
		t.Errorf("strangers had %d guesses after the spray, want 5", n)
	}
	if n := len(s.events("attack.spray")); n != 1 {
		t.Errorf("%d events of one spray", n)
	}
	if !contains(log.String(), "sprayed") {
		t.Error("nothing is in the log")
	}
}

// TestR37_BusyIsNoSpray: many failures beside many more people who get in are a Monday morning.
func TestR37_BusyIsNoSpray(t *testing.T) {
	t.Parallel()
	s := newStreet(t, nil)
	for i := range 200 {
		email := fmt.Sprintf("u%d@example.com", i)
		s.moveIn(email)
		b := s.browser(stranger(i))
		b.wants(401, b.tries(email, "wrong"))
		b.wants(200, b.tries(email, "right"))
	}
	if n := s.besiege(bob); n != 5 {
		t.Errorf("strangers had %d guesses, want 5", n)
	}
}

func TestR37_TheOwnerIsToldOnceADay(t *testing.T) {
	t.Parallel()
	s := newStreet(t, nil)
	s.besiege("nobody@example.com")
	s.besiege(ada)
	told := func() (n int) {
		s.mails.mu.Lock()
		defer s.mails.mu.Unlock()
		for _, m := range s.mails.sent {
			if m.Template != "sign_in_attempts" || m.To != ada {
				t.Errorf("got %+v", m)
			}
			n++
		}
		return n
	}
	s.eventually("a mail", func() bool { return told() == 1 })
	s.clock.advance(12 * time.Hour)
	s.besiege(ada)
	s.clock.advance(13 * time.Hour)
	s.besiege(ada)
	s.eventually("another mail", func() bool { return told() == 2 })
	if n := len(s.events("attack.account")); n != 2 {
		t.Errorf("%d events", n)
	}
}

func TestR37_UnlockForgetsTheFailures(t *testing.T) {
	t.Parallel()
	s := newStreet(t, withFactor)
	b := s.browser("198.51.100.8")
	b.wants(200, b.tries(ada, "right"))
	b.wants(204, b.sends("/api/v1/nod", map[string]any{}, nil)) // a second factor from now on
	code := func(code string) int {
		b := s.browser("198.51.100.9")
		var half struct {
			Token string `json:"mfa_token"`
		}
		if err := json.Unmarshal(b.tries(ada, "right").Body.Bytes(), &half); err != nil {
			t.Fatal(err)
		}
		return b.sends("/api/v1/login/mfa", map[string]any{"mfa_token": half.Token, "method": "nod", "code": code}, nil).Code
	}
	for range 10 {
		code("no")
	}
	if got := code("yes"); got != 429 {
		t.Errorf("after ten wrong codes: %d", got)
	}
	s.besiege(ada)
	engine, call := s.auth.Engine(ostiary.ActorCLI)
	u, err := engine.UserByEmail(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Unlock(t.Context(), call, u.ID); err != nil {
		t.Fatal(err)
	}
	if got := code("yes"); got != 200 {
		t.Errorf("after unlocking: %d", got)
	}
	if list := s.events("user.unlocked"); len(list) != 1 || list[0].Subject != u.ID || list[0].Actor != ostiary.ActorCLI {
		t.Errorf("got %+v", list)
	}
	if err := engine.Unlock(t.Context(), call, "nobody"); ostiary.Found(err) == err {
		t.Errorf("somebody who does not exist: %v", err)
	}
}

func (s *street) events(kind string) []store.Event {
	s.Helper()
	list, err := s.store.Events().List(context.Background(), store.EventQuery{Kind: kind, Limit: 100})
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// eventually waits for what the background does.
func (s *street) eventually(what string, happened func() bool) {
	s.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("there is not %s", what)
		}
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.buf.String() }
