package password_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

func (w *world) setupSecret() string {
	w.Helper()
	secret, err := w.method.SetupSecret(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return secret
}

func TestR36_SetupOnce(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		s.engine = verified
		w := newWorld(t, s)
		token, spare := w.setupSecret(), w.setupSecret()
		c := w.client()
		c.post("/setup", fields{"token": "nonsense", "email": "root@example.com", "password": good}, 400, "invalid_ticket")
		c.post("/setup", fields{"token": token, "email": "root@example.com", "password": "short"}, 400, "weak_password")
		c.post("/setup", fields{"token": token, "email": "nobody", "password": good}, 400, "invalid_request")
		r := c.post("/setup", fields{"token": token, "email": "root@example.com", "password": good, "name": "Root"}, 201, "")
		user := r.body["user"].(map[string]any)
		if fmt.Sprint(user["roles"]) != "[admin]" || user["email_verified"] != true || !c.signedIn() {
			t.Errorf("got %s", r.raw)
		}
		w.client().post("/setup", fields{"token": spare, "email": "second@example.com", "password": good}, 403, "forbidden")
		if _, err := w.method.SetupSecret(t.Context()); !errors.Is(err, ostiary.Fail(403, "forbidden", "")) {
			t.Errorf("got %v", err)
		}
	})
}

func TestR36_SetupLinkExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	token := w.setupSecret()
	w.clock.advance(time.Hour)
	w.client().post("/setup", fields{"token": token, "email": "root@example.com", "password": good}, 400, "invalid_ticket")
}

func TestR36_SetupRace(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		w := newWorld(t, s)
		tokens := []string{w.setupSecret(), w.setupSecret()}
		got := together(32, func(i int) (reply, error) {
			return w.client().send("POST", "/setup", fields{"token": tokens[i%2], "email": fmt.Sprintf("root%d@example.com", i), "password": good})
		})
		if got[201] != 1 || got[400]+got[403]+got[503] != 31 {
			t.Errorf("got %v", got)
		}
		list, err := s.store.Users().List(t.Context(), store.UserQuery{})
		if err != nil || len(list) != 1 {
			t.Errorf("%d people, %v", len(list), err)
		}
	})
}
