package ui

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ostiary/ostiary"
)

// errorView is the error page.
type errorView struct {
	Title, Text, Advice string
	Reference           string // the request's id, which the log knows
}

// fail writes every error of a page's route, and those of addresses that no route serves.
func (p *Part) fail(w http.ResponseWriter, r *http.Request, e *ostiary.Error) {
	p.headers.ServeHTTP(w, r)
	v := &visit{p: p, w: w, r: r}
	if needsSignIn(e.Code) && r.URL.Path != p.engine.Path("/login") {
		_ = v.toLogin(e.Code, p.here(r))
		return
	}
	v.secret()
	view := errorView{Text: sentence(e), Reference: w.Header().Get("X-Request-Id")}
	view.Title, view.Advice = advice(e)
	if err := v.show(v.refusedStatus(e), "error", view); err != nil {
		p.engine.Log.ErrorContext(r.Context(), "the error page could not be written", "error", err)
	}
}

// here is where to come back to: the page that was asked for, or the one whose form was sent.
func (p *Part) here(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	return r.URL.Path
}

// toLogin sends the visitor to the sign-in page, and back afterwards.
func (v *visit) toLogin(code, back string) error {
	q := url.Values{}
	if code == reauthenticate {
		q.Set("again", "1")
	}
	if back != v.p.engine.Path("/account") && v.p.engine.SafeReturn(back) == back {
		q.Set("return_to", back)
	}
	to := "/login"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return v.next(to)
}

// advice is what to call an error, and what can be done about it.
func advice(e *ostiary.Error) (title, next string) {
	switch {
	case e.Status == http.StatusNotFound:
		return "This page does not exist", "Check the address, or start again from your account."
	case e.Status == http.StatusMethodNotAllowed:
		return "This page cannot be opened that way", "Start again from your account."
	case e.Status == http.StatusTooManyRequests:
		return "One moment, please", "Wait a little, then load the page again."
	case e.Code == "cross_origin":
		return "That came from another site", "For your safety nothing was done. Open the page here and send the form again."
	case e.Status >= http.StatusInternalServerError:
		return "Something went wrong", "It is not your fault. Try again in a moment; if it happens again, tell those who run this site the reference below."
	default:
		return "That did not work", "Go back and try again, or start again from your account."
	}
}

func setRetryAfter(h http.Header, e *ostiary.Error) {
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	}
}

// needsSignIn says whether an error is answered by the sign-in page.
func needsSignIn(code string) bool {
	switch code {
	case "not_authenticated", "invalid_token", "token_expired", "token_revoked", reauthenticate:
		return true
	}
	return false
}

const reauthenticate = "reauthentication_required"
