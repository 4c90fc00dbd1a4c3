package secure_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ostiary/ostiary/secure"
)

func TestHeadersAreStrictByDefault(t *testing.T) {
	t.Parallel()
	got := serve(t, secure.Headers{}, request("203.0.113.9:1")).Header()
	want := http.Header{
		"Content-Security-Policy":      {secure.DefaultCSP},
		"Referrer-Policy":              {"same-origin"},
		"Permissions-Policy":           {secure.DefaultPermissions},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"X-Content-Type-Options":       {"nosniff"},
		"X-Frame-Options":              {"DENY"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHeadersOneResponseDoesNotChangeTheNext(t *testing.T) {
	t.Parallel()
	wrap, err := secure.Headers{}.Middleware()
	if err != nil {
		t.Fatal(err)
	}
	h := wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if got := w.Header()["Referrer-Policy"]; len(got) != 1 || got[0] != "same-origin" {
			t.Errorf("Referrer-Policy is %q", got)
		}
		w.Header()["Referrer-Policy"][0] = "unsafe-url"
		w.Header().Add("X-Frame-Options", "x")
	}))
	for range 2 {
		h.ServeHTTP(noWriter{http.Header{}}, request("203.0.113.9:1"))
	}
}

type noWriter struct{ h http.Header }

func (w noWriter) Header() http.Header         { return w.h }
func (w noWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w noWriter) WriteHeader(int)             {}

func TestHSTS(t *testing.T) {
	t.Parallel()
	https := request("10.0.0.1:1", "X-Forwarded-Proto: https")
	for _, c := range []struct {
		name   string
		config secure.Headers
		r      *http.Request
		want   string
	}{
		{"plain http", secure.Headers{Proxies: trusted}, request("10.0.0.1:1"), ""},
		{"https by a proxy", secure.Headers{Proxies: trusted}, https, "max-age=31536000"},
		{"https by a stranger's word", secure.Headers{}, https, ""},
		{"always", secure.Headers{HTTPS: true}, request("10.0.0.1:1"), "max-age=31536000"},
		{"shorter, subdomains", secure.Headers{HTTPS: true, HSTS: time.Hour, Subdomains: true}, https, "max-age=3600; includeSubDomains"},
		{"never", secure.Headers{HTTPS: true, HSTS: -1}, https, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := serve(t, c.config, c.r).Header().Get("Strict-Transport-Security"); got != c.want {
				t.Errorf("Strict-Transport-Security is %q, want %q", got, c.want)
			}
		})
	}
}

func TestHeadersRefuseControlCharacters(t *testing.T) {
	t.Parallel()
	_, err := secure.Headers{CSP: "default-src 'none'\r\nSet-Cookie: a=b"}.Middleware()
	checkError(t, err, "Content-Security-Policy")
	_, err = secure.Headers{Proxies: secure.Proxies{{}}}.Middleware()
	checkError(t, err, "not a network")
}

// TestR8_AllowSource: form_post pages add exactly the validated target.
func TestR8_AllowSource(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, policy, origin, want, err string }{
		{"added", "default-src 'none'; form-action 'self'; base-uri 'none'", "https://rp.example", "default-src 'none'; form-action 'self' https://rp.example; base-uri 'none'", ""},
		{"replaces none", "form-action 'none'", "https://rp.example:8443", "form-action https://rp.example:8443", ""},
		{"empty directive", "form-action", "https://rp.example", "form-action https://rp.example", ""},
		{"injection", "form-action 'self'", "https://rp.example; script-src *", "form-action 'self'", "not a URL"},
		{"wildcard", "form-action 'self'", "*", "form-action 'self'", "anybody"},
		{"no such directive", "script-src 'self'", "https://rp.example", "script-src 'self'", "no directive"},
		{"no policy", "", "https://rp.example", "", "no directive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			secure.SetCSP(h, c.policy)
			checkError(t, secure.AllowSource(h, "form-action", c.origin), c.err)
			if got := h.Get("Content-Security-Policy"); got != c.want {
				t.Errorf("policy is %q, want %q", got, c.want)
			}
		})
	}
}

func BenchmarkHeaders(b *testing.B) {
	wrap, err := secure.Headers{Proxies: trusted}.Middleware()
	if err != nil {
		b.Fatal(err)
	}
	h, r := wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), request("10.0.0.1:1", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
	w := noWriter{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}

func BenchmarkClientAddr(b *testing.B) {
	r := request("10.0.0.1:1", "X-Forwarded-For: 203.0.113.9, 10.0.0.2")
	b.ReportAllocs()
	for b.Loop() {
		trusted.ClientAddr(r)
	}
}

func BenchmarkSameOrigin(b *testing.B) {
	r := request("10.0.0.1:1", "Sec-Fetch-Site: same-origin")
	r.Method = "POST"
	b.ReportAllocs()
	for b.Loop() {
		if err := secure.SameOrigin(r, nil); err != nil {
			b.Fatal(err)
		}
	}
}
