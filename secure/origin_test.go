package secure_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/secure"
)

func TestR4_SameOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		method string
		lines  []string
		ok     bool
	}{
		{"same origin", "POST", []string{"Sec-Fetch-Site: same-origin"}, true},
		{"typed by the person", "POST", []string{"Sec-Fetch-Site: none"}, true},
		{"no browser", "POST", nil, true},
		{"cross site", "POST", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, false},
		{"sibling subdomain", "POST", []string{"Sec-Fetch-Site: same-site", "Origin: https://blog.app.example"}, false},
		{"no origin", "POST", []string{"Sec-Fetch-Site: cross-site"}, false},
		{"trusted", "POST", []string{"Sec-Fetch-Site: cross-site", "Origin: https://spa.example"}, true},
		{"trusted, other scheme", "POST", []string{"Sec-Fetch-Site: cross-site", "Origin: http://spa.example"}, false},
		{"trusted, other port", "POST", []string{"Sec-Fetch-Site: cross-site", "Origin: https://spa.example:8443"}, false},
		{"trusted as prefix", "POST", []string{"Sec-Fetch-Site: cross-site", "Origin: https://spa.example.evil"}, false},
		{"null", "POST", []string{"Sec-Fetch-Site: cross-site", "Origin: null"}, false},
		{"old browser, same host", "POST", []string{"Origin: http://app.example"}, true},
		{"old browser, other host", "POST", []string{"Origin: https://evil.example"}, false},
		{"old browser, null", "POST", []string{"Origin: null"}, false},
		{"GET passes", "GET", []string{"Sec-Fetch-Site: cross-site"}, true},
		{"HEAD passes", "HEAD", []string{"Sec-Fetch-Site: cross-site"}, true},
		{"OPTIONS passes", "OPTIONS", []string{"Sec-Fetch-Site: cross-site"}, true},
		{"DELETE", "DELETE", []string{"Sec-Fetch-Site: cross-site"}, false},
		{"unknown method", "get", []string{"Sec-Fetch-Site: cross-site"}, false},
		{"two sites", "POST", []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, false},
		{"two origins", "POST", []string{"Origin: http://app.example", "Origin: https://evil.example"}, false},
		{"two origins, first trusted", "POST", []string{"Sec-Fetch-Site: cross-site", "Origin: https://spa.example", "Origin: https://evil.example"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request("203.0.113.9:1", c.lines...)
			r.Method = c.method
			err := secure.SameOrigin(r, []string{"https://spa.example", "null", ""})
			if c.ok != (err == nil) || err != nil && !errors.Is(err, secure.ErrCrossOrigin) {
				t.Errorf("SameOrigin = %v", err)
			}
			status := serve(t, secure.Origin{Trusted: []string{"https://spa.example"}}, r).Code
			if c.ok != (status == http.StatusOK) || !c.ok && status != http.StatusForbidden {
				t.Errorf("middleware answered %d", status)
			}
		})
	}
}

func TestOriginDenyHandler(t *testing.T) {
	t.Parallel()
	r := request("203.0.113.9:1", "Sec-Fetch-Site: cross-site")
	r.Method = "POST"
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	if got := serve(t, secure.Origin{Deny: teapot}, r).Code; got != http.StatusTeapot {
		t.Errorf("answered %d", got)
	}
}

func TestValidOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"https://app.example", ""},
		{"http://localhost:3000", ""},
		{"https://192.0.2.1:8443", ""},
		{"https://[2001:db8::1]", ""},
		{"https://[2001:db8::1]:8443", ""},
		{"https://xn--bcher-kva.example", ""},
		{"", "must begin with"},
		{"*", "anybody"},
		{"null", "anybody"},
		{"app.example", "must begin with"},
		{"ftp://app.example", "must begin with"},
		{"https://", "may hold only"},
		{"https://app.example/", "nothing else"},
		{"https://app.example?", "nothing else"},
		{"https://app.example#", "nothing else"},
		{"https://me@app.example", "nothing else"},
		{"HTTPS://app.example", "lower case"},
		{"https://App.example", "may hold only"},
		{"https://*.example", "may hold only"},
		{"https://bücher.example", "may hold only"},
		{"https://a..b", "may hold only"},
		{"https://app.example:443", "usual port"},
		{"http://app.example:80", "usual port"},
		{"https://app.example:", "malformed port"},
		{"https://app.example:0", "no port"},
		{"https://app.example:08443", "no port"},
		{"https://app.example:70000", "no port"},
		{"https://[2001:db8:0::1]", "short form"},
		{"https://[192.0.2.1]", "not a URL"},
		{"https://[fe80::1%25eth0]", "nothing else"},
		{"https://app.example\r\nx: y", "not a URL"},
		{"https://app.example; script-src *", "not a URL"},
		{"https://app.example;x", "may hold only"},
		{"https://" + strings.Repeat("a", 300), "longer than"},
	} {
		t.Run(c.in, func(t *testing.T) {
			t.Parallel()
			checkError(t, secure.ValidOrigin(c.in), c.want)
		})
	}
}

// middleware is what every configuration of the package has.
type middleware interface {
	Middleware() (func(http.Handler) http.Handler, error)
}

// serve sends r through the middleware to a handler that answers 200.
func serve(t *testing.T, m middleware, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	wrap, err := m.Middleware()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })).ServeHTTP(w, r)
	return w
}
