package ostiarytest_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/ostiarytest"
)

// todos is a handler of somebody's program.
func todos(auth *ostiary.Auth) http.Handler {
	return auth.Require(ostiary.Permission("todos:read"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "the todos of %s", ostiary.UserFrom(r.Context()).Email)
	}))
}

func withReaders(cfg *ostiary.Config) {
	cfg.Roles = []authz.Role{{Name: "reader", Permissions: []string{"todos:read"}}}
}

func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestYourHandlers(t *testing.T) {
	t.Parallel()
	s := ostiarytest.New(t, withReaders)
	s.Handle("GET /todos", todos(s.Auth))
	if status, _ := get(t, s.Browser(), s.Origin+"/todos"); status != http.StatusUnauthorized {
		t.Errorf("a stranger: got %d", status)
	}
	ada := s.SignUp(t, "ada@example.com")
	if status, _ := get(t, ada, s.Origin+"/todos"); status != http.StatusForbidden {
		t.Errorf("without the role: got %d", status)
	}
	s.SetRoles(t, "ada@example.com", "reader")
	if status, body := get(t, ada, s.Origin+"/todos"); status != http.StatusOK || body != "the todos of ada@example.com" {
		t.Errorf("with the role: got %d %q", status, body)
	}
}

func TestFromRegistrationToSignIn(t *testing.T) {
	t.Parallel()
	s := ostiarytest.New(t, func(cfg *ostiary.Config) { cfg.RequireVerifiedEmail = true })
	c := s.Browser()
	body := map[string]any{"email": "ada@example.com", "password": ostiarytest.Password}
	if r := s.Call(t, c, "POST", "/api/v1/register", body); r.Status != http.StatusAccepted {
		t.Fatalf("register: got %d %s", r.Status, r.Body)
	}
	if r := s.Call(t, c, "POST", "/api/v1/login", body); r.Code != "email_not_verified" {
		t.Errorf("login before the mail: got %d %s", r.Status, r.Code)
	}
	m := s.Mail.Next(t, "ada@example.com")
	if len(m.Links) == 0 || m.Token() == "" {
		t.Fatalf("no link in %q", m.Text)
	}
	if r := s.Call(t, c, "POST", "/api/v1/email/verify", map[string]any{"token": m.Token()}); r.Status != http.StatusNoContent {
		t.Fatalf("verify: got %d %s", r.Status, r.Body)
	}
	if r := s.Call(t, c, "POST", "/api/v1/login", body); r.Status != http.StatusOK {
		t.Errorf("login: got %d %s", r.Status, r.Body)
	}
	var me struct {
		EmailVerified bool `json:"email_verified"`
	}
	s.Call(t, c, "GET", "/api/v1/me", nil).JSON(t, &me)
	if !me.EmailVerified {
		t.Error("the address is not verified")
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	s := ostiarytest.New(t, nil)
	ada := s.SignUp(t, "ada@example.com")
	s.Clock.Advance(6 * 24 * time.Hour)
	if r := s.Call(t, ada, "GET", "/api/v1/me", nil); r.Status != http.StatusOK {
		t.Errorf("after six days: got %d %s", r.Status, r.Code)
	}
	s.Clock.Advance(8 * 24 * time.Hour)
	if r := s.Call(t, ada, "GET", "/api/v1/me", nil); r.Code != "not_authenticated" {
		t.Errorf("after eight days without use: got %d %s", r.Status, r.Code)
	}
	in := map[string]any{"email": "ada@example.com", "password": ostiarytest.Password, "delivery": "body"}
	var out struct {
		AccessToken string `json:"access_token"`
	}
	s.Call(t, s.Browser(), "POST", "/api/v1/login", in).JSON(t, &out)
	if out.AccessToken == "" {
		t.Error("no token two weeks later")
	}
}

func TestServersShareNothing(t *testing.T) {
	t.Parallel()
	one, two := ostiarytest.New(t, nil), ostiarytest.New(t, func(cfg *ostiary.Config) { cfg.SignUpQuiet = true })
	stranger := two.Browser()
	stranger.Jar = one.SignUp(t, "ada@example.com").Jar // cookies know no ports
	if r := two.Call(t, stranger, "GET", "/api/v1/me", nil); r.Status != http.StatusUnauthorized {
		t.Errorf("got %d", r.Status)
	}
	if r := two.Call(t, two.SignUp(t, "ada@example.com"), "GET", "/api/v1/me", nil); r.Status != http.StatusOK {
		t.Errorf("got %d %s", r.Status, r.Code)
	}
}

func BenchmarkSignUpAndSignIn(b *testing.B) {
	for b.Loop() {
		s := ostiarytest.New(b, nil)
		s.SignUp(b, "ada@example.com")
		s.SignIn(b, "ada@example.com")
	}
}
