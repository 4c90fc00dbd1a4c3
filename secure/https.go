package secure

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// HTTPS keeps requests off plain http. A GET or HEAD is redirected (308) to the same path on the configured host; anything
// else gets 403, because its body and credentials have already crossed the network in the clear, and a redirect would
// hide that from whoever must repair the client. The zero value redirects nothing and answers 403 to all plain requests.
type HTTPS struct {
	Host    string  // host[:port] of the https site; never taken from the request; "": no redirect
	Proxies Proxies // whose word that a request came by https is believed
}

// Middleware checks the configuration.
func (c HTTPS) Middleware() (func(http.Handler) http.Handler, error) {
	if c.Host != "" {
		if err := validHost(c.Host); err != nil {
			return nil, fmt.Errorf("configure redirect to https: %w", err)
		}
	}
	if err := c.Proxies.Valid(); err != nil {
		return nil, fmt.Errorf("configure redirect to https: %w", err)
	}
	host, proxies, deny := c.Host, slices.Clone(c.Proxies), forbidden("https is required")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case proxies.Scheme(r) == "https":
				next.ServeHTTP(w, r)
			case host != "" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
				http.Redirect(w, r, "https://"+host+target(r), http.StatusPermanentRedirect)
			default:
				deny.ServeHTTP(w, r)
			}
		})
	}, nil
}

// target is the path and query of a request. A request line need not hold a path ("GET mailto:x"), and what follows the
// host must not become part of it.
func target(r *http.Request) string {
	if uri := r.URL.RequestURI(); strings.HasPrefix(uri, "/") {
		return uri
	}
	return "/"
}
