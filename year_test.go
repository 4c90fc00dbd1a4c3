package ostiary_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/magiclink"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
	"github.com/ostiary/ostiary/store/sqlite"
)

type everything interface {
	store.Store
	store.Volatile
}

// TestAYearOfUse: people come, sign in, refresh, ask for links, mistake themselves and go; and what is stored is never more
// than what is alive explains.
func TestAYearOfUse(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) everything{
		"memory": func(*testing.T) everything { return memory.New() },
		"sqlite": func(t *testing.T) everything {
			s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := &year{kept: open(t)}
			y.world = newWorld(t, func(cfg *ostiary.Config) {
				links, err := magiclink.New(magiclink.Config{SignUp: true})
				if err != nil {
					t.Fatal(err)
				}
				cfg.Store, cfg.Methods, cfg.Events, cfg.InsecureNoRateLimits = y.kept, append(cfg.Methods, links), keptEvents, false
			})
			y.live()
		})
	}
}

const (
	keptEvents = 90 * 24 * time.Hour
	step       = 2 * 24 * time.Hour
)

type year struct {
	*world
	kept    everything
	people  []string // addresses
	clients []*client
	pairs   []string // refresh tokens that are in use
}

func (y *year) live() {
	for day := range 183 {
		y.day(day)
		y.clock.advance(step)
		y.upkeep()
		if day%20 == 19 {
			y.nothingTooMuch()
		}
	}
	y.clock.advance(400 * 24 * time.Hour)
	y.upkeep()
	y.nothingIsLeft()
}

func (y *year) upkeep() {
	y.Helper()
	if err := ostiary.Upkeep(y.Context(), y.auth); err != nil {
		y.Fatal(err)
	}
}

// day is what happens in two of them.
func (y *year) day(n int) {
	email := fmt.Sprintf("person%d@example.com", n)
	y.people = append(y.people, email)
	browser := y.client()
	browser.knock(email, "session")
	y.clients = append(y.clients, browser)
	y.pairs = append(y.pairs, y.client().knock(y.people[n/2], "body").body["refresh_token"].(string))
	if len(y.clients) > 6 { // the others stay away without a word
		y.clients = y.clients[1:]
	}
	for _, c := range y.clients {
		c.do("GET", "/api/v1/who", nil)
	}
	y.refreshAll()
	for range 3 {
		y.client().do("POST", "/api/v1/knock", map[string]any{"email": "wrong@example.com"})
	}
	y.client().do("POST", "/api/v1/magic-link", map[string]any{"email": email})
	y.client().do("POST", "/api/v1/magic-link", map[string]any{"email": fmt.Sprintf("nobody%d@example.com", n)})
	switch {
	case n%3 == 1:
		y.clients[0].do("POST", "/api/v1/logout", nil)
	case n%7 == 2:
		y.clients[len(y.clients)-1].do("POST", "/api/v1/logout/all", nil)
	case n%10 == 3:
		y.deletePerson(y.people[n/3])
	}
}

func (y *year) refreshAll() {
	var next []string
	for _, raw := range y.pairs[max(0, len(y.pairs)-6):] {
		if got := y.client().do("POST", "/api/v1/refresh", map[string]any{"refresh_token": raw}); got.StatusCode == 200 {
			next = append(next, got.body["refresh_token"].(string))
		}
	}
	y.pairs = next
}

func (y *year) deletePerson(email string) {
	u, err := y.kept.Users().ByEmail(y.Context(), email)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		y.Fatal(err)
	}
	y.administer(func(ctx context.Context, tx *ostiary.AdminTx) error { return tx.DeleteUser(ctx, u.ID) })
}

func endOfTime() time.Time { return time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC) }

// nothingTooMuch compares the rows after a sweep with what is alive.
func (y *year) nothingTooMuch() {
	y.Helper()
	now, ctx := y.clock.now().Truncate(time.Microsecond), y.Context() // as stores keep times
	rows, err := y.kept.Sessions().List(ctx, store.SessionQuery{})
	e, _ := y.auth.Engine(ostiary.ActorCLI)
	live, liveErr := e.Sessions(ctx, "", "", 0)
	grants, grantsErr := y.kept.Grants().List(ctx, store.GrantQuery{Expired: endOfTime()})
	entries, _, logErr := y.kept.Log().After(ctx, 0, 100_000)
	if err := errors.Join(err, liveErr, grantsErr, logErr); err != nil {
		y.Fatal(err)
	}
	if len(rows) != len(live) || len(live) == 0 {
		y.Errorf("%d sessions are stored, %d live", len(rows), len(live))
	}
	alive := map[string]bool{}
	for _, s := range live {
		alive[s.ID] = true
	}
	for _, g := range grants {
		if !alive[g.SessionID] || !now.Before(g.ExpiresAt) {
			y.Errorf("grant %s hangs on nothing, or has expired", g.ID)
		}
	}
	for _, entry := range entries {
		if entry.ExpiresAt.Before(now) {
			y.Errorf("entry %d of the log, of kind %d, has expired", entry.Seq, entry.Kind)
		}
	}
	y.eventsAreKept(now)
}

func (y *year) eventsAreKept(now time.Time) {
	y.Helper()
	for q := (store.EventQuery{Limit: 1000}); ; {
		page, err := y.kept.Events().List(y.Context(), q)
		if err != nil {
			y.Fatal(err)
		}
		for _, e := range page {
			q.Before = e.Seq
			if e.At.Before(now.Add(-keptEvents).Truncate(time.Microsecond)) {
				y.Errorf("%s is from %s", e.Kind, e.At)
			}
		}
		if len(page) < q.Limit {
			return
		}
	}
}

// nothingIsLeft: after the last session has expired, people, keys and settings are all that there is, and the events that
// the sweeps themselves recorded.
func (y *year) nothingIsLeft() {
	y.Helper()
	ctx := y.Context()
	count := func(what string, want int, n int, err error) {
		y.Helper()
		if n > want || err != nil {
			y.Errorf("%d %s are left, not %d; %v", n, what, want, err)
		}
	}
	sessions, err := y.kept.Sessions().List(ctx, store.SessionQuery{})
	count("sessions", 0, len(sessions), err)
	grants, err := y.kept.Grants().List(ctx, store.GrantQuery{Expired: endOfTime()})
	count("grants", 0, len(grants), err)
	n, err := y.kept.Tickets().Sweep(ctx, endOfTime(), 1_000_000)
	count("tickets", 0, n, err)
	n, err = y.kept.Counters().Sweep(ctx, endOfTime(), 1_000_000)
	count("counters", 0, n, err)
	keys, err := y.kept.Registry().List(ctx, "signing-key", "", 1000)
	count("signing keys", 2, len(keys), err)
	settings, err := y.kept.Registry().List(ctx, "setting", "", 1000)
	count("settings", 4, len(settings), err)
	y.eventsAreKept(y.clock.now())
	y.mailIsSent()
	y.clock.advance(60 * 24 * time.Hour) // the ends of the last sessions have been told to every node
	y.upkeep()
	entries, _, err := y.kept.Log().After(ctx, 0, 1000)
	count("entries of the log", 0, len(entries), err)
}

func (y *year) mailIsSent() {
	y.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		n, err := y.kept.Messages().Count(y.Context())
		if err != nil {
			y.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			y.Fatalf("%d mails are left", n)
		}
	}
}

// TestOneNodeSweeps: of two nodes one holds the lease; the other one takes over when it ends, or when it is gone.
func TestOneNodeSweeps(t *testing.T) {
	t.Parallel()
	var same ostiary.Config
	w := newWorld(t, func(cfg *ostiary.Config) {
		cfg.Passive = true // only what this test calls is done
		same = *cfg
	})
	second := w.other(sameAs(same))
	sweeps := func(who string, a *ostiary.Auth, want bool) {
		t.Helper()
		if err := w.store.Tickets().Put(t.Context(), store.Ticket{Kind: "old", ExpiresAt: w.clock.now().Add(-time.Minute)}); err != nil {
			t.Fatal(err)
		}
		if err := ostiary.Upkeep(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		n, err := w.store.Tickets().Sweep(t.Context(), endOfTime(), 10)
		if swept := n == 0; swept != want || err != nil {
			t.Errorf("%s swept: %v, want %v; %v", who, swept, want, err)
		}
	}
	sweeps("the first", w.auth, true)
	sweeps("the second", second, false)
	for range 4 { // renewed in time
		w.clock.advance(6 * time.Minute)
		sweeps("the first", w.auth, true)
		sweeps("the second", second, false)
	}
	w.clock.advance(11 * time.Minute)
	sweeps("the second, after the first was silent", second, true)
	sweeps("the first, when it is back", w.auth, false)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	sweeps("the first, after the second has ended", w.auth, true)
	w.clock.advance(-24 * time.Hour)
	sweeps("the first, after its clock was put right", w.auth, true)
}

func sameAs(cfg ostiary.Config) ostiary.Config {
	cfg.Methods = []ostiary.Method{&knock{}}
	return cfg
}
