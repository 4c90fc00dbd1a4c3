package password_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/store/memory"
)

// Unknown, passwordless and wrong-password accounts answer alike and cost alike.
func TestR35_LoginTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", good)
	w.create("none@example.com")
	var answers []reply
	for _, email := range []string{"ada@example.com", "unknown@example.com", "none@example.com"} {
		got := w.cost(func() { answers = append(answers, w.client().login(email, other, 401, "invalid_credentials")) })
		if want := (cost{1, 0, 0}); got != want {
			t.Errorf("%s cost %v", email, got)
		}
	}
	for _, a := range answers[1:] {
		if diff := cmp.Diff(answers[0].essence(), a.essence()); diff != "" {
			t.Error(diff)
		}
	}
}

// The hash that stands in for a missing one is worked for: Argon2id allocates all of its memory at each call. Not parallel,
// so that nobody else allocates meanwhile.
func TestR35_DummyIsWorkedFor(t *testing.T) { //nolint:paralleltest // measures the process
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", good)
	w.create("none@example.com")
	for _, email := range []string{"ada@example.com", "unknown@example.com", "none@example.com"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w.client().login(email, other, 401, "invalid_credentials")
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got < 7 || got >= 14 {
			t.Errorf("%s: %d MiB were allocated, want those of one hash", email, got)
		}
	}
}

// create adds a person without a password.
func (w *world) create(email string) string {
	w.Helper()
	e, c := w.auth.Engine(ostiary.ActorCLI)
	var id string
	err := e.Administer(w.Context(), c, func(t *ostiary.AdminTx) error {
		u, err := t.CreateUser(w.Context(), ostiary.NewUser{Email: email, EmailVerified: true}, nil)
		id = u.ID
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return id
}

func (w *world) disable(email string, status string) {
	w.Helper()
	e, c := w.auth.Engine(ostiary.ActorCLI)
	u, err := e.UserByEmail(w.Context(), email)
	if err != nil {
		w.Fatal(err)
	}
	err = e.Administer(w.Context(), c, func(t *ostiary.AdminTx) error {
		if status == "active" {
			return t.SetStatus(w.Context(), u.ID, "active")
		}
		return t.SetStatus(w.Context(), u.ID, "disabled")
	})
	if err != nil {
		w.Fatal(err)
	}
}

func TestDisabledIsToldAfterTheRightPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", good)
	w.disable("ada@example.com", "disabled")
	w.client().login("ada@example.com", other, 401, "invalid_credentials")
	w.client().login("ada@example.com", good, 403, "account_disabled")
}

func TestGuessLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", good)
	w.client().register("bob@example.com", good)
	for _, spelling := range []string{"ada@example.com", "ADA@example.com", "ada@EXAMPLE.com", " Ada@Example.com ", "ａｄａ@example.com"} {
		w.client().login(spelling, other, 401, "invalid_credentials")
	}
	r := w.client().login("ada@example.com", good, 429, "rate_limited")
	wait, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 180 {
		t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
	}
	w.client().login("bob@example.com", good, 200, "")
	w.clock.advance(time.Duration(wait) * time.Second)
	w.client().login("ada@example.com", good, 200, "")
	for range 10 {
		w.client().login("bob@example.com", good, 200, "")
	}
}

// An account that does not exist is limited like one that does.
func TestGuessLimitsTellNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", good)
	last := map[string]reply{}
	for _, email := range []string{"ada@example.com", "unknown@example.com"} {
		for range 5 {
			w.client().login(email, other, 401, "invalid_credentials")
		}
		last[email] = w.client().login(email, other, 429, "rate_limited")
	}
	if diff := cmp.Diff(last["ada@example.com"].essence(), last["unknown@example.com"].essence()); diff != "" {
		t.Error(diff)
	}
}

func TestParallelGuessesAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", good)
	got := together(16, func(int) (reply, error) {
		return w.client().send("POST", "/login", fields{"email": "ada@example.com", "password": other})
	})
	if got[401] != 5 || got[429] != 11 {
		t.Errorf("got %v", got)
	}
}

func TestReauthenticateIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.client()
	c.register("ada@example.com", good)
	c.post("/reauthenticate", fields{"password": good}, 200, "")
	c.post("/reauthenticate", fields{"password": 7}, 400, "invalid_request")
	for range 3 {
		c.post("/reauthenticate", fields{"password": other}, 401, "invalid_credentials")
	}
	for range 2 { // the same count, on another route
		c.post("/password/change", fields{"current_password": other, "new_password": other}, 401, "invalid_credentials")
	}
	c.post("/reauthenticate", fields{"password": good}, 429, "rate_limited")
}

func TestRehash(t *testing.T) {
	t.Parallel()
	db := memory.New()
	key, err := ostiary.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	shared := func(c *ostiary.Config) { c.Key = key }
	old := newWorld(t, settings{store: db, engine: shared, method: password.Config{Hash: "bcrypt:cost=10"}})
	old.client().register("ada@example.com", good)
	before := credential(t, db, "ada@example.com")
	w := newWorld(t, settings{store: db, engine: shared})
	w.client().login("ada@example.com", other, 401, "invalid_credentials")
	if got := credential(t, db, "ada@example.com"); got != before {
		t.Error("a wrong password changed the hash")
	}
	got := together(4, func(int) (reply, error) {
		return w.client().send("POST", "/login", fields{"email": "ada@example.com", "password": good})
	})
	if got[200] != 4 {
		t.Errorf("got %v", got)
	}
	after := credential(t, db, "ada@example.com")
	if after == before {
		t.Error("the hash was not made again")
	}
	w.client().login("ada@example.com", good, 200, "")
	if credential(t, db, "ada@example.com") != after {
		t.Error("an up-to-date hash was made again")
	}
}

// credential is the version and the sealed bytes of a person's only credential.
func credential(t *testing.T, db backend, email string) string {
	t.Helper()
	u, err := db.Users().ByEmail(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	list, err := db.Credentials().Of(t.Context(), u.ID)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d credentials, %v", len(list), err)
	}
	return fmt.Sprint(list[0].Version, list[0].Data)
}

func TestR38_PoolFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{method: password.Config{Permits: 1, Queue: 1}})
	source := netip.MustParseAddr("192.0.2.1")
	release := password.Occupy(t.Context(), w.method, source)
	var all sync.WaitGroup
	for range 2 { // one of them waits, the other is refused
		all.Go(func() {
			r, err := w.client().send("POST", "/login", fields{"email": "ada@example.com", "password": good})
			if err != nil {
				t.Error(err)
				return
			}
			if r.StatusCode == 503 {
				if r.code() != "overloaded" || r.Header.Get("Retry-After") == "" {
					t.Errorf("got %s", r.raw)
				}
				release()
				return
			}
			if r.StatusCode != 401 {
				t.Errorf("got %s", r.raw)
			}
		})
	}
	all.Wait()
}

// A password that is changed while the old one waits for its turn to be compared lets nobody in.
func TestOldPasswordCannotOvertakeItsChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	owner := w.client()
	owner.register("ada@example.com", good)
	var begun atomic.Bool
	password.Before(w.method, func() {
		if begun.CompareAndSwap(false, true) {
			owner.post("/password/change", fields{"current_password": good, "new_password": other}, 204, "")
		}
	})
	w.client().login("ada@example.com", good, 401, "invalid_credentials")
	w.client().login("ada@example.com", other, 200, "")
}

func TestRequireVerifiedEmail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{engine: verified})
	c := w.client()
	c.post("/register", fields{"email": "ada@example.com", "password": good}, 202, "")
	w.mail("ada@example.com", "verify")
	w.client().login("ada@example.com", other, 401, "invalid_credentials")
	sent := w.cost(func() {
		for range 8 {
			w.client().login("ada@example.com", good, 403, "email_not_verified")
		}
	})
	if sent.mails != 4 {
		t.Errorf("%d mails for 8 sign-ins", sent.mails)
	}
	_, token := w.mail("ada@example.com", "verify")
	c.post("/email/verify", fields{"token": token}, 204, "")
	c.login("ada@example.com", good, 200, "")
}

func TestNoSecretIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.client()
	c.register("ada@example.com", good)
	_, token := w.mail("ada@example.com", "verify")
	w.client().login("ada@example.com", other, 401, "invalid_credentials")
	c.post("/password/change", fields{"current_password": good, "new_password": other}, 204, "")
	c.post("/email/verify", fields{"token": token}, 204, "")
	c.post("/email/verify", fields{"token": token}, 400, "invalid_ticket")
	e, _ := w.auth.Engine(ostiary.ActorCLI)
	events, err := e.Events(t.Context(), eventsOf(""))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.auth.Close(); err != nil {
		t.Fatal(err)
	}
	all := w.logs.String() + fmt.Sprint(events)
	for _, secret := range []string{good, other, token} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in the log or in an event", secret)
		}
	}
}
