package secure

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The defaults of Headers.
const (
	DefaultCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	DefaultReferrer    = "same-origin"
	DefaultPermissions = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), " +
		"microphone=(), midi=(), payment=(), usb=()"
	DefaultHSTS = 365 * 24 * time.Hour
)

// Headers sets the response headers that make a browser careful, before the handler runs: what the handler sets later
// wins (see SetCSP). The zero value is the strict one. X-Content-Type-Options: nosniff and X-Frame-Options: DENY are
// always set.
type Headers struct {
	CSP            string        // Content-Security-Policy; "": DefaultCSP
	Referrer       string        // Referrer-Policy; "": DefaultReferrer
	Permissions    string        // Permissions-Policy; "": DefaultPermissions
	OpenerPolicy   string        // Cross-Origin-Opener-Policy; "": "same-origin"
	ResourcePolicy string        // Cross-Origin-Resource-Policy; "": "same-origin"
	HSTS           time.Duration // max-age of Strict-Transport-Security; 0: DefaultHSTS; negative: not sent
	Subdomains     bool          // HSTS also for all subdomains
	HTTPS          bool          // the site is https whatever the request says: HSTS always
	Proxies        Proxies       // whose word that a request came by https is believed
}

// Middleware checks the configuration: no value may hold a control character.
func (c Headers) Middleware() (func(http.Handler) http.Handler, error) {
	names, values := c.fixed()
	for i, v := range values {
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, fmt.Errorf("configure headers: %s %q is not printable ASCII", names[i], v)
		}
	}
	if err := c.Proxies.Valid(); err != nil {
		return nil, fmt.Errorf("configure headers: %w", err)
	}
	hsts, https, proxies := c.hsts(), c.HTTPS, slices.Clone(c.Proxies)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			mine := slices.Clone(values) // one allocation for all, and the handler may change it
			for i, name := range names {
				h[name] = mine[i : i+1 : i+1]
			}
			if hsts != "" && (https || proxies.Scheme(r) == "https") {
				h.Set("Strict-Transport-Security", hsts)
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// fixed is what is the same in every response; names are canonical.
func (c Headers) fixed() (names, values []string) {
	for _, h := range [][2]string{
		{"Content-Security-Policy", cmp.Or(c.CSP, DefaultCSP)},
		{"Referrer-Policy", cmp.Or(c.Referrer, DefaultReferrer)},
		{"Permissions-Policy", cmp.Or(c.Permissions, DefaultPermissions)},
		{"Cross-Origin-Opener-Policy", cmp.Or(c.OpenerPolicy, "same-origin")},
		{"Cross-Origin-Resource-Policy", cmp.Or(c.ResourcePolicy, "same-origin")},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
	} {
		names, values = append(names, h[0]), append(values, h[1])
	}
	return names, values
}

// hsts is the value of RFC 6797 §6.1, or "".
func (c Headers) hsts() string {
	if c.HSTS < 0 {
		return ""
	}
	age := c.HSTS
	if age == 0 {
		age = DefaultHSTS
	}
	v := "max-age=" + strconv.FormatInt(int64(age/time.Second), 10)
	if c.Subdomains {
		v += "; includeSubDomains"
	}
	return v
}

// SetCSP replaces the Content-Security-Policy of one response. To be called before the first byte of the body.
func SetCSP(h http.Header, policy string) { h.Set("Content-Security-Policy", policy) }

// AllowSource adds one origin to a directive ("form-action") of the Content-Security-Policy that h holds, for a page that
// must reach exactly that origin. It changes nothing and returns an error when origin is not one (see ValidOrigin) or the
// policy has no such directive: an origin never reaches a policy unchecked.
func AllowSource(h http.Header, directive, origin string) error {
	if err := ValidOrigin(origin); err != nil {
		return fmt.Errorf("allow source: %w", err)
	}
	parts := strings.Split(h.Get("Content-Security-Policy"), ";")
	for i, p := range parts {
		name, sources, _ := strings.Cut(strings.TrimSpace(p), " ")
		if name != directive {
			continue
		}
		if sources == "'none'" { // means nothing beside another source (CSP3 §6.7.2.6)
			sources = ""
		}
		parts[i] = " " + strings.TrimSpace(name+" "+sources) + " " + origin
		SetCSP(h, strings.TrimSpace(strings.Join(parts, ";")))
		return nil
	}
	return fmt.Errorf("allow source: the policy has no directive %q", directive)
}
