package password_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
)

func eventsOf(subject string) store.EventQuery { return store.EventQuery{Subject: subject} }

// person registers somebody and confirms the address.
func (w *world) person(email string) *client {
	w.Helper()
	c := w.client()
	c.register(email, good)
	_, token := w.mail(email, "verify")
	c.post("/email/verify", fields{"token": token}, 204, "")
	return c
}

func (w *world) forgot(email string) (token string) {
	w.Helper()
	w.client().post("/password/forgot", fields{"email": email}, 202, "")
	_, token = w.mail(email, "reset")
	return token
}

func TestResetReplacesPasswordAndEndsSessions(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		w := newWorld(t, s)
		c := w.person("ada@example.com")
		w.client().post("/password/forgot", fields{"email": "ADA@example.com "}, 202, "")
		n, token := w.mail("ada@example.com", "reset")
		if n.Data["Expires"] != "1 hour" || !strings.HasPrefix(n.Data["Link"], w.auth.Issuer()+"/reset?token=") {
			t.Errorf("mail data %v", n.Data)
		}
		anon := w.client()
		anon.post("/password/reset", fields{"token": token, "password": "short"}, 400, "weak_password")
		anon.post("/password/reset", fields{"token": token, "password": other}, 204, "")
		w.mail("ada@example.com", "password_changed")
		if c.signedIn() {
			t.Error("a session survived the reset")
		}
		anon.post("/password/reset", fields{"token": token, "password": good}, 400, "invalid_ticket")
		anon.login("ada@example.com", good, 401, "invalid_credentials")
		anon.login("ada@example.com", other, 200, "")
	})
}

func TestResetEndsTokensAndGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.person("ada@example.com")
	in := w.client().post("/login", fields{"email": "ada@example.com", "password": good, "delivery": "body"}, 200, "")
	c := w.client()
	c.header.Set("Authorization", "Bearer "+in.body["access_token"].(string))
	if !c.signedIn() {
		t.Fatal("the token does not work")
	}
	w.client().post("/password/reset", fields{"token": w.forgot("ada@example.com"), "password": other}, 204, "")
	if c.signedIn() {
		t.Error("the access token survived")
	}
	w.client().post("/refresh", fields{"refresh_token": in.body["refresh_token"]}, 401, "token_revoked")
}

// Neither the answer nor the work tells whether there is an account.
func TestForgotTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.person("ada@example.com")
	w.person("gone@example.com")
	w.disable("gone@example.com", "disabled")
	var first reply
	for i, email := range []string{"ada@example.com", "unknown@example.com", "gone@example.com"} {
		var r reply
		got := w.cost(func() { r = w.client().post("/password/forgot", fields{"email": email}, 202, "") })
		if i == 0 {
			first = r
		}
		if r.raw != "{}\n" {
			t.Errorf("got %q", r.raw)
		}
		if diff := cmp.Diff(first.essence(), r.essence()); diff != "" {
			t.Error(diff)
		}
		if got.hashes != 0 || got.writes != 1 || got.mails != map[int]int64{0: 1}[i] {
			t.Errorf("%s cost %v", email, got)
		}
	}
}

func TestMailIsLimitedWithoutTelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.person("ada@example.com")
	sent := w.cost(func() {
		for range 12 {
			w.client().post("/password/forgot", fields{"email": "ada@example.com"}, 202, "")
		}
	})
	if sent.mails != 5 || sent.writes != 12 {
		t.Errorf("12 requests cost %v", sent)
	}
	w.clock.advance(10 * time.Minute)
	if again := w.cost(func() { w.client().post("/password/forgot", fields{"email": "ada@example.com"}, 202, "") }); again.mails != 1 {
		t.Errorf("after a while: %v", again)
	}
}

func TestParallelResets(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		s.engine = func(c *ostiary.Config) {}
		w := newWorld(t, s)
		w.person("ada@example.com")
		token := w.forgot("ada@example.com")
		got := together(32, func(int) (reply, error) {
			return w.client().send("POST", "/password/reset", fields{"token": token, "password": other})
		})
		if got[204] != 1 || got[400]+got[503] != 31 {
			t.Errorf("got %v", got)
		}
	})
}

// What kills a reset link.
func TestR26_ResetLinkDies(t *testing.T) {
	t.Parallel()
	cases := map[string]func(w *world, c *client){
		"with time": func(w *world, _ *client) { w.clock.advance(time.Hour) },
		"with a change of the password": func(_ *world, c *client) {
			c.post("/password/change", fields{"current_password": good, "new_password": other}, 204, "")
		},
		"with another reset": func(w *world, c *client) {
			c.post("/password/reset", fields{"token": w.forgot("ada@example.com"), "password": other}, 204, "")
		},
		"with a change of the address": func(w *world, c *client) {
			c.post("/email/change", fields{"email": "new@example.com"}, 202, "")
			_, token := w.mail("new@example.com", "email_change")
			c.post("/email/verify", fields{"token": token}, 204, "")
		},
		"with the account disabled": func(w *world, _ *client) { w.disable("ada@example.com", "disabled") },
		"with an administrator's new password": func(w *world, _ *client) {
			e, call := w.auth.Engine(ostiary.ActorCLI)
			u, err := e.UserByEmail(w.Context(), "ada@example.com")
			if err != nil {
				w.Fatal(err)
			}
			hash, err := w.method.Prepare(w.Context(), other, u.Email)
			if err != nil {
				w.Fatal(err)
			}
			err = e.Administer(w.Context(), call, func(t *ostiary.AdminTx) error { return w.method.Put(w.Context(), t.Tx, u.ID, hash) })
			if err != nil {
				w.Fatal(err)
			}
		},
	}
	for name, kill := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{})
			c := w.person("ada@example.com")
			token := w.forgot("ada@example.com")
			kill(w, c)
			w.client().post("/password/reset", fields{"token": token, "password": "a third one, quite unlike it"}, 400, "invalid_ticket")
		})
	}
}

// The link knows the very version of the password: it dies even when that is only hashed again.
func TestR26_ResetLinkDiesWithTheVersion(t *testing.T) {
	t.Parallel()
	db := memory.New()
	key, err := ostiary.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	shared := func(c *ostiary.Config) { c.Key = key }
	old := newWorld(t, settings{store: db, engine: shared, method: password.Config{Hash: "bcrypt:cost=10"}})
	c := old.person("ada@example.com")
	token := old.forgot("ada@example.com")
	c.post("/email/change", fields{"email": "new@example.com"}, 202, "")
	_, change := old.mail("new@example.com", "email_change")
	w := newWorld(t, settings{store: db, engine: shared})
	w.client().login("ada@example.com", good, 200, "")
	w.client().post("/password/reset", fields{"token": token, "password": other}, 400, "invalid_ticket")
	w.client().post("/email/verify", fields{"token": change}, 400, "invalid_ticket")
}

func TestResetOfNonsense(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	for _, token := range []string{"", "x", strings.Repeat("a", 5000)} {
		if got := w.cost(func() {
			w.client().post("/password/reset", fields{"token": token, "password": good}, 400, "invalid_ticket")
		}); got.hashes != 0 {
			t.Error("a link that is none was worth a hash")
		}
	}
}

// Somebody registers with another person's address and waits. When its owner comes by a reset, nothing of that is left.
func TestR26_FirstProofByReset(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		w := newWorld(t, s)
		thief := w.client()
		thief.register("victim@example.com", good)
		_, stale := w.mail("victim@example.com", "verify")
		thief.post("/email/change", fields{"email": "thief@example.com"}, 202, "")
		_, change := w.mail("thief@example.com", "email_change")
		tokens := w.client().post("/login", fields{"email": "victim@example.com", "password": good, "delivery": "body"}, 200, "")

		w.client().post("/password/reset", fields{"token": w.forgot("victim@example.com"), "password": other}, 204, "")
		if thief.signedIn() {
			t.Error("the thief's session survived")
		}
		w.client().post("/refresh", fields{"refresh_token": tokens.body["refresh_token"]}, 401, "token_revoked")
		w.client().login("victim@example.com", good, 401, "invalid_credentials")
		w.client().post("/email/verify", fields{"token": change}, 400, "invalid_ticket")
		w.client().post("/email/verify", fields{"token": stale}, 400, "invalid_ticket")
		in := w.client().login("victim@example.com", other, 200, "")
		if in.body["user"].(map[string]any)["email_verified"] != true {
			t.Errorf("got %s", in.raw)
		}
	})
}

// The link of a registration confirms what that registration made, and nothing that came later.
func TestR26_VerificationKeepsTheRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.client()
	c.register("ada@example.com", good)
	_, token := w.mail("ada@example.com", "verify")
	c.post("/email/change", fields{"email": "later@example.com"}, 202, "")
	_, change := w.mail("later@example.com", "email_change")
	c.post("/email/verify", fields{"token": token}, 204, "")
	c.post("/email/verify", fields{"token": change}, 400, "invalid_ticket")
	c.login("ada@example.com", good, 200, "")
}

func TestMailNotConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{mailless: true})
	c := w.client()
	c.register("ada@example.com", good)
	c.post("/password/forgot", fields{"email": "ada@example.com"}, 503, "mail_not_configured")
	c.post("/email/verify/resend", nil, 503, "mail_not_configured")
	c.post("/email/change", fields{"email": "b@example.com"}, 503, "mail_not_configured")
	c.post("/password/change", fields{"current_password": good, "new_password": other}, 204, "")
}
