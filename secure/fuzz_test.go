package secure_test

import (
	"testing"
)

// FuzzForwarded: whatever a client wrote in front of what the proxy appends, the client is whom the proxy names.
func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"", "1.2.3.4", `for="`, `for="[::1]:1";proto=https`, "10.0.0.1, 10.0.0.2", `\",;=`, "unknown", "[::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		plain := request("10.0.0.1:1", "X-Forwarded-For: "+sent+", 203.0.113.9")
		if got := trusted.ClientAddr(plain); got.String() != "203.0.113.9" {
			t.Errorf("X-Forwarded-For: client is %s", got)
		}
		standard := request("10.0.0.1:1", "Forwarded: "+sent+`, for="203.0.113.9";proto=http`)
		if got := trusted.ClientAddr(standard); got.String() != "203.0.113.9" {
			t.Errorf("Forwarded: client is %s", got)
		}
		if got := trusted.Scheme(standard); got != "http" {
			t.Errorf("Forwarded: scheme is %s", got)
		}
		alone := request("10.0.0.1:1", "X-Forwarded-For: "+sent, "X-Forwarded-Proto: "+sent)
		if a := trusted.ClientAddr(alone); !a.IsValid() || a.Zone() != "" || a.Is4In6() {
			t.Errorf("client is %q", a)
		}
		if s := trusted.Scheme(alone); s != "http" && s != "https" {
			t.Errorf("scheme is %q", s)
		}
	})
}
