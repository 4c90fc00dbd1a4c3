package secure_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ostiary/ostiary/secure"
)

var spa = secure.CORS{
	Origins:     []string{"https://spa.example"},
	Methods:     []string{"DELETE"},
	Headers:     []string{"Authorization", "Content-Type"},
	Expose:      []string{"Retry-After", "RateLimit"},
	Credentials: true,
}

func TestCORS(t *testing.T) {
	t.Parallel()
	vary := []string{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}
	granted := http.Header{
		"Access-Control-Allow-Origin":      {"https://spa.example"},
		"Access-Control-Allow-Credentials": {"true"},
		"Access-Control-Allow-Methods":     {"GET, HEAD, POST, DELETE"},
		"Access-Control-Max-Age":           {"600"},
		"Vary":                             vary,
	}
	readable := http.Header{
		"Access-Control-Allow-Origin":      {"https://spa.example"},
		"Access-Control-Allow-Credentials": {"true"},
		"Access-Control-Expose-Headers":    {"Retry-After, RateLimit"},
		"Vary":                             {"Origin"},
	}
	ours, evil := "Origin: https://spa.example", "Origin: https://evil.example"
	ask := "Access-Control-Request-Method: DELETE"
	for _, c := range []struct {
		name   string
		config secure.CORS
		method string
		lines  []string
		status int
		want   http.Header
	}{
		{"no origin", spa, "GET", nil, 200, http.Header{"Vary": {"Origin"}}},
		{"allowed", spa, "GET", []string{ours}, 200, readable},
		{"other origin", spa, "GET", []string{evil}, 200, http.Header{"Vary": {"Origin"}}},
		{"null", spa, "GET", []string{"Origin: null"}, 200, http.Header{"Vary": {"Origin"}}},
		{"two origins", spa, "GET", []string{ours, evil}, 200, http.Header{"Vary": {"Origin"}}},
		{"origin in upper case", spa, "GET", []string{"Origin: https://SPA.example"}, 200, http.Header{"Vary": {"Origin"}}},
		{"zero value", secure.CORS{}, "GET", []string{ours}, 200, http.Header{"Vary": {"Origin"}}},
		{"OPTIONS that is no preflight", spa, "OPTIONS", []string{ours}, 200, readable},
		{"preflight", spa, "OPTIONS", []string{ours, ask}, 204, granted},
		{"preflight with headers", spa, "OPTIONS", []string{ours, ask, "Access-Control-Request-Headers: authorization,content-type"}, 204, with(granted, "Access-Control-Allow-Headers", "authorization, content-type")},
		{"preflight, 64 headers", spa, "OPTIONS", []string{ours, ask, "Access-Control-Request-Headers: " + strings.Repeat(",", 63)}, 204, granted},
		{"preflight, 65 headers", spa, "OPTIONS", []string{ours, ask, "Access-Control-Request-Headers: " + strings.Repeat(",", 64)}, 403, nil},
		{"preflight, long headers", spa, "OPTIONS", []string{ours, ask, "Access-Control-Request-Headers: " + strings.Repeat(" ", 4097)}, 403, nil},
		{"preflight, long headers in lines", spa, "OPTIONS", []string{ours, ask, "Access-Control-Request-Headers: " + strings.Repeat(" ", 2048), "Access-Control-Request-Headers: " + strings.Repeat(" ", 2048)}, 403, nil},
		{"preflight, other header", spa, "OPTIONS", []string{ours, ask, "Access-Control-Request-Headers: x-admin"}, 403, nil},
		{"preflight, wildcard header", spa, "OPTIONS", []string{ours, ask, "Access-Control-Request-Headers: *"}, 403, nil},
		{"preflight, other method", spa, "OPTIONS", []string{ours, "Access-Control-Request-Method: PUT"}, 403, nil},
		{"preflight, other origin", spa, "OPTIONS", []string{evil, ask}, 403, nil},
		{"preflight, zero value", secure.CORS{}, "OPTIONS", []string{ours, ask}, 403, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request("203.0.113.9:1", c.lines...)
			r.Method = c.method
			w := serve(t, c.config, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if c.want == nil {
				c.want = http.Header{"Vary": vary}
			}
			w.Header().Del("Content-Type")
			w.Header().Del("X-Content-Type-Options")
			if diff := cmp.Diff(c.want, w.Header()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCORSMaxAge(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{0: "600", -1: "0", time.Hour: "3600"} {
		c := spa
		c.MaxAge = age
		r := request("203.0.113.9:1", "Origin: https://spa.example", "Access-Control-Request-Method: GET")
		r.Method = "OPTIONS"
		if got := serve(t, c, r).Header().Get("Access-Control-Max-Age"); got != want {
			t.Errorf("%s: %q, want %q", age, got, want)
		}
	}
}

func TestCORSRefusesConfigurations(t *testing.T) {
	t.Parallel()
	for i, c := range []secure.CORS{
		{Origins: []string{"*"}},
		{Origins: []string{"null"}},
		{Origins: []string{"https://*.example"}},
		{Origins: []string{"https://spa.example/"}},
		{Methods: []string{"*"}},
		{Methods: []string{"GET, PUT"}},
		{Headers: []string{"*"}},
		{Headers: []string{""}},
		{Expose: []string{"A\r\nB"}},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			_, err := c.Middleware()
			checkError(t, err, "configure CORS")
		})
	}
}

func with(h http.Header, name, value string) http.Header {
	h = h.Clone()
	h.Set(name, value)
	return h
}
