package secure_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/ostiary/ostiary/secure"
)

func TestHTTPS(t *testing.T) {
	t.Parallel()
	site := secure.HTTPS{Host: "app.example", Proxies: trusted}
	for _, c := range []struct {
		name     string
		config   secure.HTTPS
		method   string
		peer     string
		target   string
		lines    []string
		status   int
		location string
	}{
		{"https by a proxy", site, "POST", "10.0.0.1:1", "/a", []string{"X-Forwarded-Proto: https"}, 200, ""},
		{"https by a stranger's word", site, "POST", "203.0.113.9:1", "/a", []string{"X-Forwarded-Proto: https"}, 403, ""},
		{"GET", site, "GET", "203.0.113.9:1", "/a?b=c", nil, 308, "https://app.example/a?b=c"},
		{"HEAD", site, "HEAD", "203.0.113.9:1", "/", nil, 308, "https://app.example/"},
		{"forged Host", site, "GET", "203.0.113.9:1", "http://evil.example/a", nil, 308, "https://app.example/a"},
		{"path like a host", site, "GET", "203.0.113.9:1", "//evil.example/a", nil, 308, "https://app.example//evil.example/a"},
		{"POST", site, "POST", "203.0.113.9:1", "/a", nil, 403, ""},
		{"zero value", secure.HTTPS{}, "GET", "203.0.113.9:1", "/a", nil, 403, ""},
		{"port", secure.HTTPS{Host: "[::1]:8443"}, "GET", "203.0.113.9:1", "/a", nil, 308, "https://[::1]:8443/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request(c.peer, c.lines...)
			r.Method = c.method
			u, err := url.ParseRequestURI(c.target)
			if err != nil {
				t.Fatal(err)
			}
			r.URL, r.Host = u, "evil.example"
			w := serve(t, c.config, r)
			if got := w.Header().Get("Location"); w.Code != c.status || got != c.location {
				t.Errorf("%d %q, want %d %q", w.Code, got, c.status, c.location)
			}
		})
	}
}

// TestHTTPSOpaqueTarget: what follows the host in the redirect cannot become part of it.
func TestHTTPSOpaqueTarget(t *testing.T) {
	t.Parallel()
	r := request("203.0.113.9:1")
	r.URL = &url.URL{Scheme: "x", Opaque: ".evil.example"}
	w := serve(t, secure.HTTPS{Host: "app.example"}, r)
	if got := w.Header().Get("Location"); w.Code != http.StatusPermanentRedirect || got != "https://app.example/" {
		t.Errorf("%d %q", w.Code, got)
	}
}

func TestHTTPSRefusesConfigurations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config secure.HTTPS
		want   string
	}{
		{"URL", secure.HTTPS{Host: "https://app.example"}, "configure redirect"},
		{"path", secure.HTTPS{Host: "app.example/a"}, "may hold only"},
		{"person", secure.HTTPS{Host: "app.example@evil.example"}, "may hold only"},
		{"no name", secure.HTTPS{Host: ":443"}, "may hold only"},
		{"broken brackets", secure.HTTPS{Host: "[::1"}, "configure redirect"},
		{"proxies", secure.HTTPS{Proxies: secure.Proxies{{}}}, "not a network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.config.Middleware()
			checkError(t, err, c.want)
		})
	}
}
