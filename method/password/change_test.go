package password_test

import (
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/password"
)

func TestChangeEndsOtherSessionsOnly(t *testing.T) {
	t.Parallel()
	for _, delivery := range []string{"session", "split", "cookies", "body"} {
		t.Run(delivery, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{})
			elsewhere := w.person("ada@example.com")
			c := w.client()
			in := c.post("/login", fields{"email": "ada@example.com", "password": good, "delivery": delivery}, 200, "")
			if token, ok := in.body["access_token"].(string); ok {
				c.header.Set("Authorization", "Bearer "+token)
			}
			c.post("/password/change", fields{"current_password": good, "new_password": other}, 204, "")
			w.mail("ada@example.com", "password_changed")
			if elsewhere.signedIn() {
				t.Error("another session survived")
			}
			if !c.signedIn() {
				t.Error("the caller was signed out")
			}
			switch delivery {
			case "body":
				c.post("/refresh", fields{"refresh_token": in.body["refresh_token"]}, 200, "")
			case "split", "cookies":
				c.header.Del("Authorization")
				c.post("/refresh", nil, 200, "")
			}
			w.client().login("ada@example.com", good, 401, "invalid_credentials")
			w.client().login("ada@example.com", other, 200, "")
		})
	}
}

func TestChangeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.person("ada@example.com")
	w.client().post("/password/change", fields{"current_password": good, "new_password": other}, 401, "not_authenticated")
	c.post("/password/change", fields{"new_password": other}, 401, "invalid_credentials")
	r := c.post("/password/change", fields{"current_password": good, "new_password": "localhost1234"}, 400, "weak_password")
	if r.body["errors"].([]any)[0].(map[string]any)["location"] != "body.new_password" {
		t.Errorf("got %s", r.raw)
	}
	c.header.Set("Origin", "https://evil.example")
	c.post("/password/change", fields{"current_password": good, "new_password": other}, 403, "cross_origin")
}

// Of parallel changes, one wins; nobody is told that a change was made that was not.
func TestParallelChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.person("ada@example.com")
	var clients []*client
	for range 4 {
		c := w.client()
		c.login("ada@example.com", good, 200, "")
		clients = append(clients, c)
	}
	got := together(4, func(i int) (reply, error) {
		return clients[i].send("POST", "/password/change", fields{"current_password": good, "new_password": other})
	})
	if got[204] != 1 {
		t.Errorf("got %v", got)
	}
}

// A person who signs in by other means sets a password with a fresh proof only.
func TestFirstPasswordNeedsFreshProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{engine: func(c *ostiary.Config) { c.Methods = append(c.Methods, &knock{}) }})
	w.create("ada@example.com")
	c := w.client()
	c.post("/knock", fields{"email": "ada@example.com"}, 200, "")
	w.clock.advance(11 * time.Minute)
	c.post("/password/change", fields{"new_password": good}, 401, "reauthentication_required")
	c.post("/knock", fields{"email": "ada@example.com"}, 200, "")
	c.post("/password/change", fields{"new_password": good}, 204, "")
	w.client().login("ada@example.com", good, 200, "")
}

func TestPreparedPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.person("ada@example.com")
	if _, err := w.method.Prepare(t.Context(), "short"); err == nil {
		t.Error("a weak password was hashed")
	}
	pass := password.Generate()
	if again := password.Generate(); again == pass || len(pass) != 29 {
		t.Errorf("generated %q and %q", pass, again)
	}
	hash, err := w.method.Prepare(t.Context(), pass, "ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	e, call := w.auth.Engine("admin")
	fresh := w.create("new@example.com")
	u, err := e.UserByEmail(t.Context(), "ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{fresh, u.ID} {
		err := e.Administer(t.Context(), call, func(tx *ostiary.AdminTx) error { return w.method.Put(t.Context(), tx.Tx, id, hash) })
		if err != nil {
			t.Fatal(err)
		}
	}
	w.mail("ada@example.com", "password_changed")
	if c.signedIn() {
		t.Error("a session survived the administrator's new password")
	}
	w.client().login("ada@example.com", pass, 200, "")
	w.client().login("new@example.com", pass, 200, "")
}
