package ostiary_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/ostiary/ostiary"
)

// secrets is a method whose secret is "right" for everybody who exists: cheap, and like a password in all that the engine
// sees of it.
type secrets struct {
	kit    *ostiary.Kit
	looked atomic.Int64 // how many secrets were looked at
	known  atomic.Int64 // of them from known devices
}

type secretInput struct {
	ostiary.Deliver
	Email  string `json:"email"`
	Secret string `json:"secret"`
}

func (in *secretInput) AccountKey() string { return in.Email }

func (s *secrets) Name() string { return "secrets" }

func (s *secrets) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	s.kit = kit
	return []ostiary.Route{{Name: "enter", Pattern: "POST /api/v1/enter", Access: ostiary.Public, Guess: true, Serve: ostiary.Prove(s.enter)}}, nil
}

func (s *secrets) enter(ctx context.Context, c *ostiary.Call, in *secretInput) (ostiary.Proof, error) {
	s.looked.Add(1)
	if c.KnownDevice {
		s.known.Add(1)
	}
	if in.Secret == "busy" {
		return ostiary.Proof{}, ostiary.Fail(503, "overloaded", "busy")
	}
	u, err := s.kit.UserByEmail(ctx, in.Email)
	if err != nil || in.Secret != "right" {
		return ostiary.Proof{}, ostiary.Fail(401, "invalid_credentials", "no")
	}
	return ostiary.Proof{UserID: u.ID, AMR: []string{"pwd"}, Epoch: u.Epoch}, nil
}

// street is a world whose people are attacked.
type street struct {
	*world
	secrets *secrets
}

// browser comes from one address and keeps the cookies that it is given.
type browser struct {
	s       *street
	source  string
	cookies map[string]*http.Cookie
}

func (s *street) browser(source string) *browser {
	return &browser{s: s, source: source, cookies: map[string]*http.Cookie{}}
}

// tries enters and returns the answer.
func (b *browser) tries(email, secret string) *httptest.ResponseRecorder {
	return b.sends("/api/v1/enter", map[string]any{"email": email, "secret": secret}, nil)
}

func (b *browser) sends(path string, body any, header http.Header) *httptest.ResponseRecorder {
	text, _ := json.Marshal(body)
	r := httptest.NewRequest("POST", b.s.auth.Issuer()+path, strings.NewReader(string(text)))
	r.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		r.Header[k] = v
	}
	r.RemoteAddr = b.source + ":4711"
	if strings.Contains(b.source, ":") {
		r.RemoteAddr = "[" + b.source + "]:4711"
	}
	for _, k := range b.cookies {
		r.AddCookie(k)
	}
	rec := httptest.NewRecorder()
	b.s.auth.ServeHTTP(rec, r)
	for _, k := range rec.Result().Cookies() {
		b.cookies[k.Name] = k
		if k.MaxAge < 0 {
			delete(b.cookies, k.Name)
		}
	}
	return rec
}

// wants fails the test unless the answer has that status.
func (b *browser) wants(status int, rec *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	b.s.Helper()
	if rec.Code != status {
		b.s.Fatalf("got %d %s, want %d", rec.Code, rec.Body, status)
	}
	return rec
}

// device is the value of the browser's device cookie, "" if it has none.
func (b *browser) device() string {
	for _, k := range b.cookies {
		if strings.TrimPrefix(k.Name, "__Host-") == "device" {
			return k.Value
		}
	}
	return ""
}
