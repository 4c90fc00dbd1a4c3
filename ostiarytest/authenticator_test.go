package ostiarytest_test

import (
	"net/http"
	"testing"

	"github.com/ostiary/ostiary/ostiarytest"
)

func TestPasskeys(t *testing.T) {
	t.Parallel()
	s := ostiarytest.New(t, nil)
	device, key := &ostiarytest.Authenticator{Synced: true}, &ostiarytest.Authenticator{Counts: true}
	ada := s.SignUpWithPasskey(t, "ada@example.com", device)
	s.AddPasskey(t, ada, key)
	for _, a := range []*ostiarytest.Authenticator{device, key} {
		if r := s.Call(t, s.SignInWithPasskey(t, a), "GET", "/api/v1/me", nil); r.Status != http.StatusOK {
			t.Errorf("got %d %s", r.Status, r.Code)
		}
	}
}

func BenchmarkPasskeys(b *testing.B) {
	for b.Loop() {
		s := ostiarytest.New(b, nil)
		device := &ostiarytest.Authenticator{}
		s.SignUpWithPasskey(b, "ada@example.com", device)
		s.SignInWithPasskey(b, device)
	}
}
