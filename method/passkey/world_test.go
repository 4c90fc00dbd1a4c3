package passkey_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/passkey"
	"github.com/ostiary/ostiary/ostiarytest"
)

const ada, bob = "ada@example.com", "bob@example.com"

type fields = map[string]any

// world is a server and shorthands for what browsers do with passkeys.
type world struct {
	*ostiarytest.Server
	t *testing.T
}

func newWorld(t *testing.T, change func(*ostiary.Config)) *world {
	t.Helper()
	return &world{ostiarytest.New(t, change), t}
}

// with makes the passkey method as it is configured here.
func with(t *testing.T, cfg passkey.Config) func(*ostiary.Config) {
	t.Helper()
	m, err := passkey.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *ostiary.Config) { c.Methods[1] = m }
}

type begun struct {
	Ticket    string          `json:"ticket"`
	PublicKey json.RawMessage `json:"publicKey"`
}

func (w *world) begin(c *http.Client, path string, in any) (b begun) {
	w.t.Helper()
	w.want(c, "POST", path, in, 200, "").JSON(w.t, &b)
	return b
}

// want calls the API and demands an answer.
func (w *world) want(c *http.Client, method, path string, in any, status int, code string) ostiarytest.Reply {
	w.t.Helper()
	r := w.Call(w.t, c, method, "/api/v1"+path, in)
	if r.Status != status || r.Code != code {
		w.t.Fatalf("%s %s: got %d %q, want %d %q: %s", method, path, r.Status, r.Code, status, code, r.Body)
	}
	return r
}

// finish sends a credential for a ticket.
func (w *world) finish(c *http.Client, path, ticket string, credential json.RawMessage, status int, code string) ostiarytest.Reply {
	w.t.Helper()
	return w.want(c, "POST", path, fields{"ticket": ticket, "credential": credential}, status, code)
}

// answer is an assertion for a new sign-in.
func (w *world) answer(a *ostiarytest.Authenticator) (ticket string, credential json.RawMessage) {
	w.t.Helper()
	b := w.begin(w.Browser(), "/passkeys/login/begin", nil)
	return b.Ticket, a.Get(w.t, w.Origin, b.PublicKey)
}

type me struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	MFA   bool   `json:"mfa"`
}

func (w *world) me(c *http.Client) (u me) {
	w.t.Helper()
	w.want(c, "GET", "/me", nil, 200, "").JSON(w.t, &u)
	return u
}

// amr is how the caller was authenticated, as his newest session says.
func (w *world) amr(c *http.Client) []string {
	w.t.Helper()
	var list struct {
		Items []struct {
			Current bool
			AMR     []string
		}
	}
	w.want(c, "GET", "/sessions", nil, 200, "").JSON(w.t, &list)
	for _, s := range list.Items {
		if s.Current {
			return s.AMR
		}
	}
	w.t.Fatal("no session is the current one")
	return nil
}

func (w *world) passkeys(c *http.Client) []passkey.Passkey {
	w.t.Helper()
	var list passkey.List
	w.want(c, "GET", "/passkeys", nil, 200, "").JSON(w.t, &list)
	return list.Items
}

// events are the kinds of what happened to the caller, newest first.
func (w *world) happened(c *http.Client, kind string) bool {
	w.t.Helper()
	var list struct{ Items []struct{ Kind string } }
	w.want(c, "GET", "/events", nil, 200, "").JSON(w.t, &list)
	for _, e := range list.Items {
		if e.Kind == kind {
			return true
		}
	}
	return false
}
