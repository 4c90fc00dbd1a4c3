package ostiarytest_test

import (
	"net/http"
	"testing"

	"github.com/ostiary/ostiary/ostiarytest"
)

// A passkey, a link by mail and a code of an app, from an empty server: what a test of an embedder may want at once.
func everyWay(t testing.TB) {
	s := ostiarytest.New(t, nil)
	ada := s.SignUpWithPasskey(t, "ada@example.com", &ostiarytest.Authenticator{})
	app, backup := s.AddApp(t, ada)
	if len(backup) != 10 {
		t.Fatalf("%d backup codes", len(backup))
	}
	s.Mail.Next(t, "ada@example.com") // that two-step sign-in is on

	b := s.Browser()
	if r := s.Call(t, b, "POST", "/api/v1/magic-link", map[string]any{"email": "ada@example.com"}); r.Status != http.StatusAccepted {
		t.Fatalf("got %d %s", r.Status, r.Body)
	}
	var pending struct {
		Token string `json:"mfa_token"`
	}
	link := s.Mail.Next(t, "ada@example.com").Token()
	s.Call(t, b, "POST", "/api/v1/magic-link/consume", map[string]any{"token": link}).JSON(t, &pending)
	r := s.Call(t, b, "POST", "/api/v1/login/mfa", map[string]any{"mfa_token": pending.Token, "method": "totp", "code": app.Code(t)})
	if r.Status != http.StatusOK {
		t.Fatalf("got %d %s", r.Status, r.Body)
	}
	if r := s.Call(t, b, "GET", "/api/v1/me", nil); r.Status != http.StatusOK {
		t.Fatalf("got %d %s", r.Status, r.Body)
	}
}

func TestEveryWay(t *testing.T) {
	t.Parallel()
	everyWay(t)
}

func BenchmarkEveryWay(b *testing.B) {
	for b.Loop() {
		everyWay(b)
	}
}
