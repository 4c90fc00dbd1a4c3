package ui_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/ui"
)

// fob is a second factor that anybody can enrol.
type fob struct{ kit *ostiary.Kit }

func (f *fob) Name() string  { return "fob" }
func (f *fob) Field() string { return "fob" }

// Guessable says that what it shows can be guessed.
func (f *fob) Guessable() bool { return true }

func (f *fob) Verify(_ context.Context, _ *ostiary.Call, userID string, _ json.RawMessage) (ostiary.Proof, error) {
	return ostiary.Proof{UserID: userID, AMR: []string{"otp"}}, nil
}

func (f *fob) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	f.kit = k
	return []ostiary.Route{{Name: "fob", Pattern: "POST /api/v1/fob", Serve: ostiary.JSON(f.enrol)}}, nil
}

func (f *fob) enrol(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	return ostiary.None{}, f.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		_, err := t.Credentials.Create(ctx, ostiary.Credential{UserID: c.Principal.User.ID, Factor: true})
		return err
	})
}

func TestSecondFactorDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.Methods = append(c.Methods, &fob{}) })
	v := w.visitor()
	v.joins(ada, firstPw)
	if a := v.do("POST", "/api/v1/fob", "", ""); a.StatusCode != 204 {
		t.Fatalf("enrol: %d %s", a.StatusCode, a.text)
	}
	other := w.visitor()
	a := other.post("/login", "email", ada, "password", firstPw)
	other.shows(a, 200, "One more step", "You are not signed in yet.")
	if len(a.Cookies()) != 0 {
		t.Errorf("cookies before the second factor: %v", a.Cookies())
	}
	other.goes(other.get("/account"), "/login")
}

func TestOverHTTPS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.URL = "https://id.example.com" })
	for _, path := range []string{"/login", "/nowhere", "/account", "/assets/x/style.css"} {
		r := httptest.NewRequest("GET", "https://id.example.com"+path, nil)
		r.Header.Set("Accept", "text/html")
		rec := httptest.NewRecorder()
		w.auth.ServeHTTP(rec, r)
		if got := rec.Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s: Strict-Transport-Security is %q", path, got)
		}
	}
}
