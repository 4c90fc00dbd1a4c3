package password_test

import (
	"context"
	"crypto/sha1"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/password"
)

const stolen = "yellow submarine over manhattan"

// thief knows one stolen password.
type thief struct {
	asked  atomic.Int64
	fails  atomic.Bool
	during func()
}

func (f *thief) Breached(_ context.Context, hash [sha1.Size]byte) (bool, error) {
	f.asked.Add(1)
	if f.during != nil {
		f.during()
	}
	if f.fails.Load() {
		return false, errors.New("no answer")
	}
	return hash == sha1.Sum([]byte(stolen)), nil
}

func guarded(f *thief) settings { return settings{method: password.Config{Breaches: f}} }

// refused demands that a stolen password was the reason.
func (r reply) refused(t *testing.T, field string) {
	t.Helper()
	list, _ := r.body["errors"].([]any)
	if len(list) != 1 || list[0].(fields)["code"] != "breached" || list[0].(fields)["location"] != field {
		t.Errorf("got %s, want the code breached at %s", r.raw, field)
	}
	if strings.Contains(r.raw, stolen) {
		t.Error("the answer holds the password")
	}
}

func TestStolenPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	t.Run("register", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, guarded(new(thief)))
		spent := w.cost(func() {
			w.client().post("/register", fields{"email": "ada@example.com", "password": stolen}, 400, "weak_password").refused(t, "body.password")
		})
		if spent != (cost{}) {
			t.Errorf("the refusal cost %+v", spent)
		}
		w.client().register("ada@example.com", good)
	})
	t.Run("change", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, guarded(new(thief)))
		ada := w.client()
		ada.register("ada@example.com", good)
		in := fields{"current_password": good, "new_password": stolen}
		ada.post("/password/change", in, 400, "weak_password").refused(t, "body.new_password")
		w.client().login("ada@example.com", good, 200, "")
	})
	t.Run("reset", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, guarded(new(thief)))
		w.client().register("ada@example.com", good)
		w.mail("ada@example.com", "verify")
		w.client().post("/password/forgot", fields{"email": "ada@example.com"}, 202, "")
		_, secret := w.mail("ada@example.com", "reset")
		w.client().post("/password/reset", fields{"token": secret, "password": stolen}, 400, "weak_password").refused(t, "body.password")
		w.client().post("/password/reset", fields{"token": secret, "password": other}, 204, "")
	})
	t.Run("setup", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, guarded(new(thief)))
		secret, err := w.method.SetupSecret(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in := fields{"token": secret, "email": "ada@example.com", "password": stolen}
		w.client().post("/setup", in, 400, "weak_password").refused(t, "body.password")
	})
	t.Run("chosen by somebody else", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, guarded(new(thief)))
		_, err := w.method.Prepare(t.Context(), stolen)
		if problem := new(ostiary.Error); !errors.As(err, &problem) || problem.Fields[0].Code != "breached" {
			t.Errorf("got %v", err)
		}
	})
}

func TestStolenPasswordsWhereNobodyIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", stolen)
	if n := w.method.Unchecked(); n != 0 {
		t.Errorf("%d unchecked although nothing was to be checked", n)
	}
}

func TestOnlyNewPasswordsThatTheRulesLetThroughAreLookedUp(t *testing.T) {
	t.Parallel()
	f := new(thief)
	w := newWorld(t, guarded(f))
	w.client().post("/register", fields{"email": "ada@example.com", "password": "short"}, 400, "weak_password")
	w.client().login("ada@example.com", stolen, 401, "invalid_credentials")
	w.client().post("/password/reset", fields{"token": "wrong", "password": stolen}, 400, "invalid_ticket")
	w.client().post("/password/strength", fields{"password": stolen}, 200, "")
	if n := f.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

func TestR34_LookUpsTellNothing(t *testing.T) {
	t.Parallel()
	f := new(thief)
	s := guarded(f)
	s.engine = quiet
	w := newWorld(t, s)
	w.client().post("/register", fields{"email": "ada@example.com", "password": good}, 202, "")
	for _, pass := range []string{good, stolen} {
		var answers []string
		for _, email := range []string{"ada@example.com", "new@example.com"} {
			before := f.asked.Load()
			r, err := w.client().send("POST", "/register", fields{"email": email, "password": pass})
			if err != nil {
				t.Fatal(err)
			}
			if n := f.asked.Load() - before; n != 1 {
				t.Errorf("%s: asked %d times, want once", email, n)
			}
			answers = append(answers, r.essence())
		}
		if answers[0] != answers[1] {
			t.Errorf("the answers differ:\n%s\n%s", answers[0], answers[1])
		}
	}
}

func TestR38_LookUpsHoldNoPermitAndNoTransaction(t *testing.T) {
	t.Parallel()
	f := new(thief)
	w := newWorld(t, settings{method: password.Config{Breaches: f, Permits: 1}})
	w.client().register("ada@example.com", good)
	f.during = func() { w.client().login("ada@example.com", good, 200, "") } // needs the only permit, and writes
	r, err := w.client().send("POST", "/register", fields{"email": "bob@example.com", "password": other})
	if err != nil || r.StatusCode != 201 {
		t.Errorf("got %s, %v", r.raw, err)
	}
}

func TestLookUpsFailOpen(t *testing.T) {
	t.Parallel()
	f := new(thief)
	f.fails.Store(true)
	w := newWorld(t, guarded(f))
	prepare := func() {
		t.Helper()
		if _, err := w.method.Prepare(t.Context(), stolen); err != nil {
			t.Error(err)
		}
	}
	warnings := func() int { return strings.Count(w.logs.String(), "not looked up among stolen ones") }
	for range 3 {
		prepare()
	}
	if n := w.method.Unchecked(); n != 3 || warnings() != 1 {
		t.Errorf("counted %d, warned %d times, want 3 and 1", n, warnings())
	}
	w.clock.advance(time.Minute)
	prepare()
	if n := w.method.Unchecked(); n != 4 || warnings() != 2 {
		t.Errorf("a minute later: counted %d, warned %d times, want 4 and 2", n, warnings())
	}
	f.fails.Store(false)
	if _, err := w.method.Prepare(t.Context(), stolen); err == nil {
		t.Error("nothing is refused after the first failure")
	}
	if strings.Contains(w.logs.String(), stolen) || strings.Contains(w.logs.String(), digits(stolen)[:5]) {
		t.Error("the log tells the password")
	}
}

func TestALookUpThatWasGivenUpIsNotCounted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f := &thief{during: cancel}
	f.fails.Store(true)
	w := newWorld(t, guarded(f))
	if _, err := w.method.Prepare(ctx, stolen); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := w.method.Unchecked(); n != 0 {
		t.Errorf("counted %d", n)
	}
}
