package secure

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxOrigin is the length in bytes of the longest origin.
const maxOrigin = 300

// ErrCrossOrigin says that a browser sent the request on behalf of a page of another origin.
var ErrCrossOrigin = errors.New("secure: cross-origin request")

// SameOrigin returns ErrCrossOrigin, wrapped with the reason, when a request that may change something comes from a page of
// another origin than this server's and not from one of trusted, which are origins as ValidOrigin accepts them. To be
// called before a cookie is read.
//
// The check is that of http.CrossOriginProtection: by Sec-Fetch-Site, or, in browsers from before 2023, by comparing Origin
// with the Host header, which the caller has checked. So GET, HEAD and OPTIONS always pass and must change nothing, and
// what no browser sent passes. Two values of either header are refused.
func SameOrigin(r *http.Request, trusted []string) error {
	var protection http.CrossOriginProtection
	err := protection.Check(r)
	if err == nil {
		return single(r)
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "null" && slices.Contains(trusted, origin) {
		return single(r)
	}
	return fmt.Errorf("%w: %w", ErrCrossOrigin, err)
}

// single refuses repeated headers, of which another reader might see the other value.
func single(r *http.Request) error {
	if safe(r.Method) {
		return nil
	}
	if len(r.Header["Origin"]) > 1 || len(r.Header["Sec-Fetch-Site"]) > 1 {
		return fmt.Errorf("%w: Origin or Sec-Fetch-Site is given twice", ErrCrossOrigin)
	}
	return nil
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// Origin is SameOrigin as middleware. The zero value trusts only the server's own origin.
type Origin struct {
	Trusted []string     // other origins that may send requests which change something
	Deny    http.Handler // answers what is refused; nil: 403
}

// Middleware checks the configuration.
func (c Origin) Middleware() (func(http.Handler) http.Handler, error) {
	for _, o := range c.Trusted {
		if err := ValidOrigin(o); err != nil {
			return nil, fmt.Errorf("configure cross-origin check: %w", err)
		}
	}
	trusted, deny := slices.Clone(c.Trusted), c.Deny
	if deny == nil {
		deny = forbidden("cross-origin request refused")
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if SameOrigin(r, trusted) != nil {
				deny.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

func forbidden(message string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, message, http.StatusForbidden)
	})
}

// ValidOrigin says what keeps s from being an origin exactly as a browser writes it (RFC 6454 §6.2): http or https, a host
// in lower case and ASCII, a port unless it is the scheme's own; no path, not even "/"; neither "*" nor "null". It returns
// nil when nothing does.
func ValidOrigin(s string) error {
	if len(s) > maxOrigin {
		return fmt.Errorf("origin %q… is longer than %d bytes", s[:maxOrigin], maxOrigin)
	}
	if s == "*" || s == "null" {
		return fmt.Errorf("origin %q would trust anybody", s)
	}
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("origin %q is not a URL", s)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf(`origin %q must begin with "https://" or "http://"`, s)
	case s != u.Scheme+"://"+u.Host:
		return fmt.Errorf("origin %q must be scheme://host[:port] and nothing else, in lower case", s)
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80":
		return fmt.Errorf("origin %q must leave out the usual port, as browsers do", s)
	}
	if err := validHost(u.Host); err != nil {
		return fmt.Errorf("origin %q: %w", s, err)
	}
	return nil
}

// validHost checks host[:port]: a name of letters, digits, "-" and "." in lower case, an IPv4 address or an IPv6 address
// in brackets.
func validHost(s string) error {
	u := url.URL{Host: s}
	host, port := u.Hostname(), u.Port()
	bare := host
	if strings.HasPrefix(s, "[") {
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || a.Zone() != "" || a.String() != host {
			return fmt.Errorf("host %q is not an IPv6 address in its short form", s)
		}
		bare = "[" + host + "]"
	} else if !hostname(host) {
		return fmt.Errorf("host %q may hold only a-z, 0-9, \"-\" and \".\" (an international name in its xn-- form)", s)
	}
	if port == "" {
		if s != bare {
			return fmt.Errorf("host %q has an empty or malformed port", s)
		}
		return nil
	}
	if p, err := netip.ParseAddrPort("[::]:" + port); err != nil || p.Port() == 0 || port[0] == '0' || s != bare+":"+port {
		return fmt.Errorf("host %q has no port from 1 to 65535", s)
	}
	return nil
}

func hostname(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 253 && s[0] != '.' && s[0] != '-' && !strings.Contains(s, "..")
}
