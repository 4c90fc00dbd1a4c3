package secure

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The limits of a preflight request.
const (
	maxPreflightNames = 64
	maxPreflightBytes = 4 << 10
)

// CORS lets pages of other origins read answers (Fetch Standard §3.2). The zero value lets none. It does not replace the
// cross-origin check: a request without preflight reaches the handler whatever its origin is.
type CORS struct {
	Origins     []string      // exact, see ValidOrigin
	Methods     []string      // beyond GET, HEAD and POST
	Headers     []string      // request headers beyond the safelisted ones; "Authorization", "Content-Type"
	Expose      []string      // response headers beyond the safelisted ones
	Credentials bool          // requests may carry cookies
	MaxAge      time.Duration // how long a preflight may be cached; 0: 10 minutes; negative: not at all
}

// Middleware checks the configuration. It answers preflight requests itself: 204 when they are allowed, else 403 without
// CORS headers.
func (c CORS) Middleware() (func(http.Handler) http.Handler, error) {
	for _, o := range c.Origins {
		if err := ValidOrigin(o); err != nil {
			return nil, fmt.Errorf("configure CORS: %w", err)
		}
	}
	for _, name := range slices.Concat(c.Methods, c.Headers, c.Expose) {
		if !token(name) || name == "*" {
			return nil, fmt.Errorf("configure CORS: %q is not the name of a method or header", name)
		}
	}
	p := newPolicy(c)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Origin")
			if preflight(r) {
				p.preflight(w, r)
				return
			}
			if p.allowed(r) {
				p.grant(w.Header(), r)
				if p.expose != "" {
					w.Header().Set("Access-Control-Expose-Headers", p.expose)
				}
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// preflight says whether r is a CORS-preflight request (Fetch Standard §3.2.2).
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// policy is CORS, ready to answer.
type policy struct {
	origins, methods, headers    map[string]bool // headers in lower case
	allowMethods, expose, maxAge string
	credentials                  bool
}

func newPolicy(c CORS) *policy {
	methods := slices.Concat([]string{http.MethodGet, http.MethodHead, http.MethodPost}, c.Methods)
	p := &policy{
		origins: list(c.Origins), methods: list(methods), headers: map[string]bool{},
		allowMethods: strings.Join(methods, ", "), expose: strings.Join(c.Expose, ", "),
		credentials: c.Credentials,
	}
	for _, h := range c.Headers {
		p.headers[strings.ToLower(h)] = true
	}
	age := c.MaxAge
	if age == 0 {
		age = 10 * time.Minute
	}
	p.maxAge = strconv.FormatInt(int64(max(age, 0)/time.Second), 10)
	return p
}

func list(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

func (p *policy) allowed(r *http.Request) bool {
	return len(r.Header["Origin"]) == 1 && p.origins[r.Header.Get("Origin")]
}

func (p *policy) grant(h http.Header, r *http.Request) {
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	if p.credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

func (p *policy) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Method")
	h.Add("Vary", "Access-Control-Request-Headers")
	names, ok := p.requested(r)
	if !ok || !p.allowed(r) || !p.methods[r.Header.Get("Access-Control-Request-Method")] {
		http.Error(w, "cross-origin request refused", http.StatusForbidden)
		return
	}
	p.grant(h, r)
	h.Set("Access-Control-Allow-Methods", p.allowMethods)
	if len(names) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(names, ", "))
	}
	h.Set("Access-Control-Max-Age", p.maxAge)
	w.WriteHeader(http.StatusNoContent)
}

// requested returns the request headers that are asked for, in lower case. ok is false when one is not allowed, or when
// there are too many.
func (p *policy) requested(r *http.Request) (names []string, ok bool) {
	value := strings.Join(r.Header["Access-Control-Request-Headers"], ",")
	if len(value) > maxPreflightBytes || strings.Count(value, ",") >= maxPreflightNames {
		return nil, false
	}
	for name := range strings.SplitSeq(value, ",") {
		name = strings.ToLower(strings.Trim(name, " \t"))
		if name == "" {
			continue
		}
		if !p.headers[name] {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

// token says whether s is one (RFC 9110 §5.6.2).
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
