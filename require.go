package ostiary

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// Require is middleware for your own routes: somebody must be signed in, by session cookie, access token or API key, and
// meet every check. Who comes with a cookie must come from the same origin (R4). The handler finds the person with
// [UserFrom]. A browser that asks for a page is sent to the sign-in page; everybody else gets 401 or 403 as RFC 6750 has it.
func (a *Auth) Require(need ...Check) func(http.Handler) http.Handler {
	scoped := false
	for _, n := range need {
		if _, ok := n.(Scope); ok {
			scoped = true
		}
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, err := a.require(r, scoped, need)
			if err != nil {
				a.turnAway(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey, p)))
		})
	}
}

func (a *Auth) require(r *http.Request, scoped bool, need []Check) (*Principal, error) {
	if !explicit(r) {
		if err := a.checkOrigin(r); err != nil {
			return nil, err
		}
	}
	p, err := a.authenticate(r.Context(), r, scoped)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, errNotSignedIn
	}
	for _, n := range need {
		if err := n.check(a, p, r); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// turnAway answers who may not pass.
func (a *Auth) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	e := problem(err)
	if e.Status >= http.StatusInternalServerError {
		a.log.ErrorContext(r.Context(), "a request could not be checked", "error", err, "path", r.URL.Path)
	}
	signIn := e.Status == http.StatusUnauthorized || e.Code == errReauthenticate.Code
	if login := a.named[LoginPage]; login != nil && signIn && wantsPage(r) {
		_, path := login.split()
		q := url.Values{"return_to": {r.URL.RequestURI()}}
		if e.Code == errReauthenticate.Code {
			q.Set("again", "1")
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, a.issuer+path+"?"+q.Encode(), http.StatusSeeOther)
		return
	}
	writeProblem(w, r, e)
}

// wantsPage says whether a browser is navigating.
func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && !explicit(r) && strings.Contains(r.Header.Get("Accept"), "text/html")
}
