package ostiary_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
)

// TestR39_NobodyIsLockedOut: an attacker who uses up the account keeps the owner from devices that he never used, and from
// no other. The right secret from a stranger is refused with the same words as a wrong one.
func TestR39_NobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	s := newStreet(t, nil)
	owner := s.browser("198.51.100.7")
	owner.wants(200, owner.tries(ada, "right"))
	for range 3 {
		s.besiege(ada)
		s.clock.advance(3 * time.Minute)
	}
	s.besiege(ada)
	other := s.browser("198.51.100.8")
	right, wrong := other.wants(429, other.tries(ada, "right")), other.wants(429, other.tries(ada, "wrong"))
	if a, b := essence(right.Body.String()), essence(wrong.Body.String()); a != b || right.Header().Get("Retry-After") != wrong.Header().Get("Retry-After") {
		t.Errorf("the answers differ: %s, %s", a, b)
	}
	owner.wants(200, owner.tries(ada, "right"))

	// Not even from the same network, whose failures are used up.
	thief := s.browser("198.51.100.7")
	for i := range 30 {
		thief.tries(fmt.Sprintf("u%d@example.com", i), "wrong")
	}
	thief.wants(429, thief.tries(bob, "wrong"))
	owner.wants(200, owner.tries(ada, "right"))
}

// essence is a problem document without the id of its request.
func essence(body string) string {
	before, _, _ := bytes.Cut([]byte(body), []byte(`"request_id"`))
	return string(before)
}

func TestR39_IssuedOnlyAfterACompleteSignIn(t *testing.T) {
	t.Parallel()
	s := newStreet(t, withFactor)
	visitor := s.browser("198.51.100.7")
	visitor.wants(401, visitor.tries(ada, "wrong"))
	visitor.sends("/api/v1/logout", map[string]any{}, nil)
	if visitor.device() != "" {
		t.Error("somebody who is nobody was given a device cookie")
	}
	visitor.wants(200, visitor.tries(ada, "right"))
	if visitor.device() == "" {
		t.Fatal("no device cookie after a sign-in")
	}
	k := visitor.cookies["device"]
	if !k.HttpOnly || k.Path != "/" || k.SameSite != http.SameSiteLaxMode || k.Domain != "" {
		t.Errorf("got %s", k)
	}
	if life := k.Expires.Sub(s.clock.now()); life < 179*24*time.Hour || life > 180*24*time.Hour {
		t.Errorf("it lives %s", life)
	}
	visitor.wants(204, visitor.sends("/api/v1/nod", map[string]any{}, nil)) // a second factor from now on
	half := s.browser("198.51.100.8")
	rec := half.wants(200, half.tries(ada, "right"))
	if !contains(rec.Body.String(), "mfa_required") || half.device() != "" {
		t.Errorf("half a sign-in: %s, cookie %q", rec.Body, half.device())
	}
	body := s.browser("198.51.100.9")
	body.wants(200, body.sends("/api/v1/enter", map[string]any{"email": bob, "secret": "right", "delivery": "body"}, nil))
	if body.device() != "" {
		t.Error("who takes tokens in the body was given a cookie")
	}
}

// TestR39_Worthless: what must not count as a known device.
func TestR39_Worthless(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *street, b *browser){
		"of another account": func(s *street, b *browser) {
			b.cookies = map[string]*http.Cookie{}
			b.wants(200, b.tries(bob, "right"))
		},
		"tampered":   func(_ *street, b *browser) { b.spoil(func(v string) string { return "B" + v[1:] }) },
		"tampered 2": func(_ *street, b *browser) { b.spoil(func(v string) string { return v[:30] + flip(v[30]) + v[31:] }) },
		"tampered 3": func(_ *street, b *browser) {
			b.spoil(func(v string) string { return v[:len(v)-2] + flip(v[len(v)-2]) + v[len(v)-1:] })
		},
		"cut":    func(_ *street, b *browser) { b.spoil(func(v string) string { return v[:len(v)-4] }) },
		"longer": func(_ *street, b *browser) { b.spoil(func(v string) string { return v + "AAAA" }) },
		"empty":  func(_ *street, b *browser) { b.spoil(func(string) string { return "" }) },
		"of another server": func(_ *street, b *browser) {
			other := newStreet(b.s.T, nil).browser(b.source)
			other.wants(200, other.tries(ada, "right"))
			b.spoil(func(string) string { return other.device() })
		},
		"after a new password": func(_ *street, b *browser) {
			old := *b.cookies["device"]
			b.wants(204, b.sends("/api/v1/knock/change", map[string]any{}, nil))
			b.cookies["device"] = &old
		},
		"too old": func(s *street, _ *browser) { s.clock.advance(180 * 24 * time.Hour) },
		"after ten failures": func(s *street, b *browser) {
			for i := range 10 {
				b.wants(401, b.tries(ada, "wrong"))
				if i >= 4 {
					s.clock.advance(3 * time.Minute)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreet(t, nil)
			b := s.browser("198.51.100.7")
			b.wants(200, b.tries(ada, "right"))
			known := s.secrets.known.Load()
			b.wants(200, b.tries(ada, "right"))
			if s.secrets.known.Load() != known+1 {
				t.Fatal("it was worth nothing before")
			}
			spoil(s, b)
			s.besiege(ada)
			b.wants(429, b.tries(ada, "right"))
		})
	}
}

func flip(c byte) string {
	if c == 'A' {
		return "Q"
	}
	return "A"
}

func (b *browser) spoil(change func(string) string) {
	k := *b.cookies["device"]
	k.Value = change(k.Value)
	b.cookies["device"] = &k
}

// FuzzDeviceCookie: nothing but our own cookie makes a device known, and nothing is an error.
func FuzzDeviceCookie(f *testing.F) {
	for _, seed := range []string{"", "A", "AXrv3RLhEcBtFENo", "AXrv3RLhEcBtFENo-BmRqncAAAAAa-7JBwAAAAAAAAABHw4fIk_Q-O0Y-3hTmsDOQ5EH3dU-FinKB-OdKYA5yYs"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s := newStreet(t, func(cfg *ostiary.Config) { cfg.Passive = true })
		b := s.browser("198.51.100.7")
		b.cookies["device"] = &http.Cookie{Name: "device", Value: value}
		b.wants(401, b.tries(ada, "wrong"))
		if s.secrets.known.Load() != 0 {
			t.Errorf("%q is a known device", value)
		}
	})
}

// TestR39_FailuresOfADeviceAreItsOwn: they are limited, and do not count for the account.
func TestR39_FailuresOfADeviceAreItsOwn(t *testing.T) {
	t.Parallel()
	s := newStreet(t, nil)
	b := s.browser("198.51.100.7")
	b.wants(200, b.tries(ada, "right"))
	for range 5 {
		b.wants(401, b.tries(ada, "wrong"))
	}
	b.wants(429, b.tries(ada, "wrong"))
	if n := s.besiege(ada); n != 5 {
		t.Errorf("strangers had %d guesses, want 5", n)
	}
	s.clock.advance(3 * time.Minute)
	b.wants(200, b.tries(ada, "right"))
	for range 5 { // a new sign-in, a new count
		b.wants(401, b.tries(ada, "wrong"))
	}
}

// TestR39_OldMasterKeysCount: a cookie lives through a rotation of the master key.
func TestR39_OldMasterKeysCount(t *testing.T) {
	t.Parallel()
	first, second := randomKey(), randomKey()
	before := newStreet(t, func(cfg *ostiary.Config) { cfg.Key = parseKey(t, first) })
	b := before.browser("198.51.100.7")
	b.wants(200, b.tries(ada, "right"))
	after := &street{world: &world{T: t, store: before.store, clock: before.clock}, secrets: &secrets{}}
	auth, err := ostiary.New(t.Context(), ostiary.Config{
		URL: before.auth.Issuer(), Store: before.store, Key: parseKey(t, second+"\n"+first), Now: before.clock.now,
		Methods: []ostiary.Method{after.secrets},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { auth.Close() })
	after.auth = auth
	moved := after.browser("198.51.100.7")
	moved.cookies = b.cookies
	moved.wants(200, moved.tries(ada, "right"))
	if after.secrets.known.Load() != 1 {
		t.Error("the device is a stranger after the rotation")
	}
}

func randomKey() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

func parseKey(t *testing.T, text string) ostiary.Key {
	t.Helper()
	key, err := ostiary.ParseKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestR38_KnownDevicesAreToldToMethods(t *testing.T) {
	t.Parallel()
	s := newStreet(t, nil)
	b := s.browser("198.51.100.7")
	b.tries(ada, "right")
	b.tries(ada, "wrong")
	b.tries(bob, "wrong")
	b.tries("nobody@example.com", "wrong")
	if n := s.secrets.known.Load(); n != 1 {
		t.Errorf("%d of the calls came from a known device, want 1", n)
	}
}
