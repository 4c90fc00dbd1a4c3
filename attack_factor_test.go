package ostiary_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
)

// Whoever is in an account before its owner enrols the first factor must not stay in it, nor count as fresh.
func TestAttack_SessionFromBeforeTheFirstFactor(t *testing.T) {
	t.Parallel()
	for _, delivery := range []store.Delivery{store.DeliverSession, store.DeliverBody} {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			w := twoSteps(t)
			owner, thief := w.client(), w.client()
			owner.knock("ada@example.com", "")
			in := thief.knock("ada@example.com", delivery)
			if access, ok := in.body["access_token"].(string); ok {
				thief.header.Set("Authorization", "Bearer "+access)
			}
			thief.want(thief.do("GET", "/api/v1/careful", nil), 204, "")
			owner.want(owner.do("POST", "/api/v1/sure", nil), 204, "")
			if r := thief.do("GET", "/api/v1/careful", nil); r.StatusCode != http.StatusUnauthorized || r.code() == "reauthentication_required" {
				t.Errorf("the thief is still in: %d %s", r.StatusCode, r.raw)
			}
			owner.want(owner.do("GET", "/api/v1/careful", nil), 204, "")

			other := w.client()
			other.want(other.second(other.ticket("ada@example.com"), "sure", "yes", false), 200, "")
			owner.want(owner.do("POST", "/api/v1/nod", nil), 204, "")
			other.want(other.do("GET", "/api/v1/who", nil), 200, "") // it has shown a factor
		})
	}
}

// hooked is a store that does something once after a person was read.
type hooked struct {
	*memory.Store
	hook *atomic.Pointer[func()]
}

type hookedUsers struct {
	store.Users
	hook *atomic.Pointer[func()]
}

func (s hooked) Users() store.Users { return hookedUsers{s.Store.Users(), s.hook} }

func (u hookedUsers) Get(ctx context.Context, id string) (store.User, error) {
	found, err := u.Users.Get(ctx, id)
	if f := u.hook.Swap(nil); f != nil {
		(*f)()
	}
	return found, err
}

// A password that is changed while somebody completes his sign-in with the old one and a factor must not let him in, however
// late the change comes.
func TestAttack_PasswordChangesWhileTheSecondFactorIsTaken(t *testing.T) {
	t.Parallel()
	hook := &atomic.Pointer[func()]{}
	w := newWorld(t, func(cfg *ostiary.Config) {
		cfg.Store = hooked{memory.New(), hook}
		cfg.Methods = append(cfg.Methods, &nod{})
	})
	owner, thief := w.enrolled("ada@example.com"), w.client()
	ticket := thief.ticket("ada@example.com")
	change := func() { owner.want(owner.do("POST", "/api/v1/knock/change", nil), 204, "") }
	hook.Store(&change)
	if r := thief.second(ticket, "nod", "yes", false); r.StatusCode == http.StatusOK {
		t.Errorf("got in: %s", r.raw)
	}
	if hook.Load() != nil {
		t.Fatal("the password was not changed")
	}
}

// Who has nothing but the password must not keep the owner out by wrong codes: a known device has some of its own (R29).
func TestR29_KnownDevicesHaveCodesOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	owner := w.enrolled("ada@example.com")
	thief := w.client()
	for range 2 {
		ticket := thief.ticket("ada@example.com")
		for range 5 {
			thief.want(thief.second(ticket, "nod", "no", false), 401, "mfa_failed")
		}
	}
	thief.want(thief.second(thief.ticket("ada@example.com"), "nod", "yes", false), 429, "rate_limited")
	owner.want(owner.do("POST", "/api/v1/reauthenticate", map[string]any{"method": "nod", "code": "yes"}), 200, "")
	owner.want(owner.second(owner.ticket("ada@example.com"), "nod", "yes", false), 200, "")

	ticket := owner.ticket("ada@example.com")
	for range 4 {
		owner.want(owner.second(ticket, "nod", "no", false), 401, "mfa_failed")
	}
	ticket = owner.ticket("ada@example.com")
	owner.want(owner.second(ticket, "nod", "no", false), 401, "mfa_failed")
	owner.want(owner.second(ticket, "nod", "yes", false), 429, "rate_limited")

	bob := w.enrolled("bob@example.com") // whose device is not one of ada's
	bob.want(bob.second(bob.ticket("ada@example.com"), "nod", "yes", false), 429, "rate_limited")
}

// Who changes his password is no stranger on his own browser for it, and the old cookie is worth nothing (R39).
func TestR39_OwnBrowserStaysKnownAfterAChange(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{"by cookie": nil, "by token": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreet(t, nil)
			b := s.browser("198.51.100.7")
			b.wants(200, b.tries(ada, "right"))
			if header != nil {
				rec := b.wants(200, b.sends("/api/v1/enter", map[string]any{"email": ada, "secret": "right", "delivery": "body"}, nil))
				header.Set("Authorization", "Bearer "+field(t, rec.Body.Bytes(), "access_token"))
			}
			old := b.device()
			b.wants(204, b.sends("/api/v1/knock/change", map[string]any{}, header))
			if b.device() == old {
				t.Fatal("the browser was given no new cookie")
			}
			s.besiege(ada)
			b.wants(200, b.tries(ada, "right"))
		})
	}
	t.Run("no cookie from nothing", func(t *testing.T) {
		t.Parallel()
		s := newStreet(t, nil)
		b := s.browser("198.51.100.7")
		b.wants(200, b.tries(bob, "right"))
		foreign := b.cookies["device"]
		b.wants(200, b.tries(ada, "right"))
		b.cookies["device"] = foreign
		b.wants(204, b.sends("/api/v1/knock/change", map[string]any{}, nil))
		if b.device() != foreign.Value {
			t.Error("a cookie of another account was exchanged")
		}
	})
}

// An account that nobody can sign in to cannot be an administrator: it would stand for the last one (R31).
func TestR31_ServiceAccountsAreNoAdministrators(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	err := w.tryAdminister(func(ctx context.Context, tx *ostiary.AdminTx) error {
		_, err := tx.CreateUser(ctx, ostiary.NewUser{Name: "robot"}, []string{ostiary.RoleAdmin})
		return err
	})
	wantCode(t, err, "invalid_request")
	var robot ostiary.User
	w.administer(func(ctx context.Context, tx *ostiary.AdminTx) (err error) {
		robot, err = tx.CreateUser(ctx, ostiary.NewUser{Name: "robot"}, nil)
		return err
	})
	err = w.tryAdminister(func(ctx context.Context, tx *ostiary.AdminTx) error {
		return tx.SetRoles(ctx, robot.ID, []string{ostiary.RoleAdmin})
	})
	wantCode(t, err, "invalid_request")
}

// A program that holds nothing but its refresh token must be able to sign its person out everywhere.
func TestAttack_SignOutEverywhereWithARefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	other, app := w.client(), w.client()
	other.knock("ada@example.com", "")
	in := app.knock("ada@example.com", store.DeliverBody)
	app.want(app.do("POST", "/api/v1/logout/all", map[string]any{"refresh_token": "garbage"}), 204, "")
	other.want(other.do("GET", "/api/v1/who", nil), 200, "")
	app.want(app.do("POST", "/api/v1/logout/all", map[string]any{"refresh_token": in.body["refresh_token"]}), 204, "")
	other.want(other.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
	app.want(app.do("POST", "/api/v1/logout/all", map[string]any{"refresh_token": in.body["refresh_token"]}), 204, "")
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if known := new(ostiary.Error); !errors.As(err, &known) || known.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// field is a text of a JSON answer.
func field(t *testing.T, answer []byte, name string) string {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(answer, &body); err != nil {
		t.Fatal(err)
	}
	text, _ := body[name].(string)
	return text
}

// A cookie that somebody copied, or planted, before a privilege rises is worth nothing after it.
func TestAttack_FixationAroundEveryRise(t *testing.T) {
	t.Parallel()
	for name, rise := range map[string]func(owner *client){
		"sign-in": func(owner *client) { owner.knock("ada@example.com", "") },
		"reauthentication": func(owner *client) {
			owner.want(owner.do("POST", "/api/v1/nod", nil), 204, "")
			owner.want(owner.do("POST", "/api/v1/reauthenticate", map[string]any{"method": "nod", "code": "yes"}), 200, "")
		},
		"first factor":    func(owner *client) { owner.want(owner.do("POST", "/api/v1/sure", nil), 204, "") },
		"change":          func(owner *client) { owner.want(owner.do("POST", "/api/v1/knock/change", nil), 204, "") },
		"second step":     func(owner *client) { owner.twice(false) },
		"trusted browser": func(owner *client) { owner.twice(true); owner.knock("ada@example.com", "") },
		"recovery": func(owner *client) {
			owner.want(owner.do("POST", "/api/v1/nod", nil), 204, "")
			owner.want(owner.recovery("/api/v1/mfa/recovery", "ada@example.com"), 202, "")
			owner.w.clock.advance(72 * time.Hour)
			owner.want(owner.recovery("/api/v1/mfa/recovery/finish", "ada@example.com"), 200, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := twoSteps(t)
			owner, thief := w.client(), w.client()
			owner.knock("ada@example.com", "")
			issuer, err := url.Parse(w.auth.Issuer())
			if err != nil {
				t.Fatal(err)
			}
			thief.http.Jar.SetCookies(issuer, owner.http.Jar.Cookies(issuer))
			thief.want(thief.do("GET", "/api/v1/who", nil), 200, "")
			rise(owner)
			owner.want(owner.do("GET", "/api/v1/who", nil), 200, "")
			thief.want(thief.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
		})
	}
}

// twice enrols a factor and signs in with both steps.
func (c *client) twice(trust bool) {
	c.w.Helper()
	c.want(c.do("POST", "/api/v1/nod", nil), 204, "")
	c.want(c.second(c.ticket("ada@example.com"), "nod", "yes", trust), 200, "")
}
