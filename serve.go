package ostiary

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

func (r *Route) split() (method, path string) {
	method, path, _ = strings.Cut(r.Pattern, " ")
	return method, strings.TrimSpace(path)
}

func (r *Route) method() string { m, _ := r.split(); return m }

// ServeHTTP serves all routes below Config.URL. It must see the full path: do not strip the prefix (R43).
func (a *Auth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newRequestID()
	r = r.WithContext(context.WithValue(r.Context(), requestIDKey, id))
	w.Header().Set("X-Request-Id", id)
	defer a.recovered(w, r)
	if !strings.HasPrefix(r.URL.Path, a.prefix+"/") && !strings.HasPrefix(r.URL.Path, "/.well-known/") {
		a.prefixOnce.Do(func() { // anybody can send such requests: one line tells it
			a.log.Error("a request outside the prefix reached the handler: mount it with mux.Handle(\""+a.prefix+"/\", auth), without http.StripPrefix", "path", r.URL.Path, "request_id", id)
		})
		writeProblem(w, r, errNotFound)
		return
	}
	if a.misdirected(w, r) {
		return
	}
	if a.cameInTheClear(r) {
		a.toHTTPS.ServeHTTP(w, r)
		return
	}
	a.route(w, r)
}

func (a *Auth) route(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, a.prefix+"/api/v1/") {
		a.api.ServeHTTP(w, r)
		return
	}
	a.dispatch(w, r)
}

// cameInTheClear says whether a trusted proxy tells that the client spoke plain http to an https site. A proxy that says
// nothing is believed to have done what it is there for.
func (a *Auth) cameInTheClear(r *http.Request) bool {
	told := len(r.Header["X-Forwarded-Proto"])+len(r.Header["Forwarded"]) > 0
	return a.secure && told && !a.proxies.Ignored(r) && a.proxies.Scheme(r) == "http"
}

func (a *Auth) dispatch(w http.ResponseWriter, r *http.Request) {
	handler, pattern := a.mux.Handler(r)
	if pattern == "" {
		a.unrouted(w, r, handler)
		return
	}
	a.mux.ServeHTTP(w, r)
}

func newRequestID() string {
	b := random16()
	return b64.EncodeToString(b[:9])
}

// misdirected refuses a Host that is not ours (R5): what is served depends on the URL, and a foreign name in front of it
// would lend us its cookies or its trust. Probes may come by address.
func (a *Auth) misdirected(w http.ResponseWriter, r *http.Request) bool {
	if a.knownHost(r.Host) || strings.HasPrefix(r.URL.Path, a.prefix+"/healthz") || strings.HasPrefix(r.URL.Path, a.prefix+"/readyz") {
		return false
	}
	if a.loopbackAlias(r.Host) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		target := *r.URL
		target.Scheme, target.Host = a.base.Scheme, a.base.Host
		http.Redirect(w, r, target.String(), http.StatusFound)
		return true
	}
	writeProblem(w, r, errMisdirected)
	return true
}

func (a *Auth) knownHost(host string) bool {
	if strings.EqualFold(host, a.base.Host) {
		return true
	}
	for _, h := range a.cfg.AllowedHosts {
		if strings.EqualFold(host, h) {
			return true
		}
	}
	return false
}

// loopbackAlias says whether host is 127.0.0.1 or [::1] at the port of a localhost URL.
func (a *Auth) loopbackAlias(host string) bool {
	if a.base.Hostname() != "localhost" {
		return false
	}
	name, port, err := net.SplitHostPort(host)
	return err == nil && port == a.base.Port() && (name == "127.0.0.1" || name == "::1")
}

// unrouted turns the plain answers of the mux (404, 405, redirects of unclean paths) into ours.
func (a *Auth) unrouted(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	probe := &headerOnly{header: http.Header{}}
	handler.ServeHTTP(probe, r)
	fail := writeProblem
	if f := a.pageFail(r); f != nil {
		fail = f
	}
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		fail(w, r, errMethod)
		return
	}
	fail(w, r, errNotFound)
}

// pageFail is how pages show an error, for a browser that asked for a page.
func (a *Auth) pageFail(r *http.Request) func(http.ResponseWriter, *http.Request, *Error) {
	if login := a.named[LoginPage]; login != nil && wantsPage(r) {
		return login.Fail
	}
	return nil
}

// headerOnly keeps the status and headers of an answer and drops its body.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header { return h.header }
func (h *headerOnly) WriteHeader(s int)   { h.status = s }
func (h *headerOnly) Write(b []byte) (int, error) {
	return len(b), nil
}

func (a *Auth) recovered(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { //nolint:errorlint // documented to be compared
		panic(p)
	}
	a.log.Error("a handler panicked", "panic", p, "path", r.URL.Path, "request_id", requestID(r.Context()), "stack", string(debug.Stack()))
	writeProblem(w, r, errInternal)
}

// serve is the pipeline: origin, source limit, who, what he may, input, account limit, call. Nothing of it can be left out
// by a route.
func (a *Auth) serve(w http.ResponseWriter, r *http.Request, route *Route) {
	c := a.newCall(r)
	if err := a.pass(w, r, route, c); err != nil {
		a.refuse(w, r, route, c, err)
	}
}

func (a *Auth) newCall(r *http.Request) *Call {
	ua := r.UserAgent()
	ua = strings.ToValidUTF8(ua[:min(len(ua), 400)], "") // a database may take nothing else
	if a.proxies.Ignored(r) {
		a.proxyOnce.Do(func() {
			a.log.Warn("a request carried X-Forwarded-* headers, which are ignored because no proxy is trusted; if there is one, name it in trusted-proxies")
		})
	}
	return &Call{Source: a.proxies.ClientAddr(r), UserAgent: ua, RequestID: requestID(r.Context()), auth: a, request: r}
}

func (a *Auth) pass(w http.ResponseWriter, r *http.Request, route *Route, c *Call) error {
	if err := a.admit(w, r, route, c); err != nil {
		return err
	}
	if route.Serve.http != nil {
		return route.Serve.http(&cookieWriter{ResponseWriter: w, call: c}, r, c)
	}
	in := route.newInput()
	if err := web.Decode(r, in, route.maxBody()); err != nil {
		return err
	}
	answer, err := a.call(r.Context(), route, c, in)
	if err != nil {
		return err
	}
	c.writeCookies(w)
	return a.answer(w, route, answer)
}

// admit is the part of the pipeline before the input is read.
func (a *Auth) admit(w http.ResponseWriter, r *http.Request, route *Route, c *Call) error {
	if !route.CrossSite && !explicit(r) {
		if err := a.checkOrigin(r); err != nil {
			return err
		}
	}
	if err := a.limitSource(w, route, c.Source); err != nil {
		return err
	}
	if route.Mail && a.cfg.Mailer == nil {
		return errMailMissing
	}
	if route.Access == Public {
		return nil
	}
	p, err := a.authenticate(r.Context(), r, route.Scope != "")
	if err != nil && (route.Access == SignedIn || explicit(r) || problem(err).Status >= http.StatusInternalServerError) {
		return err
	}
	c.Principal = p
	return a.entitled(r, route, c)
}

// entitled checks what the route needs of its caller.
func (a *Auth) entitled(r *http.Request, route *Route, c *Call) error {
	if c.Principal == nil {
		if route.Access == SignedIn {
			return errNotSignedIn
		}
		return nil
	}
	if route.Scope != "" {
		if err := Scope(route.Scope).check(a, c.Principal, r); err != nil {
			return err
		}
	} else if route.Access == SignedIn && !c.Principal.FirstParty() && !(route.Keys && c.Principal.via == viaOther) {
		return errScope
	}
	for _, need := range route.Need {
		if err := need.check(a, c.Principal, r); err != nil {
			return err
		}
	}
	return nil
}

// call runs a route on an input, whether it came as JSON or from a page's form.
func (a *Auth) call(ctx context.Context, route *Route, c *Call, in any) (any, error) {
	if route.Serve.proves {
		c.wants = *in.(interface{ deliver() *Deliver }).deliver()
		if err := a.checkDeliver(&c.wants); err != nil {
			return nil, err
		}
	}
	if !route.Guess {
		return a.complete(ctx, route, c, in)
	}
	try, err := a.guess(ctx, c, in)
	if err != nil {
		return nil, err
	}
	answer, err := a.complete(ctx, route, c, in)
	try.settle(ctx, err)
	return answer, err
}

// complete runs the endpoint and, when it proved who somebody is, the sign-in.
func (a *Auth) complete(ctx context.Context, route *Route, c *Call, in any) (any, error) {
	if !route.Serve.proves {
		return route.Serve.run(ctx, c, in)
	}
	out, err := route.Serve.run(ctx, c, in)
	if err != nil {
		return nil, err
	}
	proof := out.(Proof)
	proof.method = route.owner
	if proof.UserID == "" {
		return accepted{proof.Answer}, nil
	}
	return a.signIn(ctx, c, proof)
}

// accepted is an answer that signed nobody in.
type accepted struct{ body any }

func (a *Auth) answer(w http.ResponseWriter, route *Route, answer any) error {
	switch v := answer.(type) {
	case accepted:
		return web.WriteJSON(w, http.StatusAccepted, v.body)
	case *Outcome:
		if v.Pending != nil {
			return web.WriteJSON(w, http.StatusOK, v.Pending)
		}
		return web.WriteJSON(w, route.success(), v.SignedInAnswer)
	case None:
		w.WriteHeader(route.success())
		return nil
	}
	return web.WriteJSON(w, route.success(), answer)
}

// refuse is the only writer of errors.
func (a *Auth) refuse(w http.ResponseWriter, r *http.Request, route *Route, c *Call, err error) {
	e := problem(err)
	// What is wrong with us is an error; a caller who is refused, also because too many ask at once, is not.
	level := slog.LevelDebug
	if e.Code == errInternal.Code || e.Code == errUnavailable.Code {
		level = slog.LevelError
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		level = slog.LevelDebug
	}
	a.log.Log(r.Context(), level, "refused", "route", route.Name, "status", e.Status, "code", e.Code, "error", err, "request_id", c.RequestID)
	c.writeCookies(w)
	route.fail(w, r, e)
}

// writeErrorHeaders sets what belongs to an error whoever writes its body.
func writeErrorHeaders(h http.Header, e *Error) {
	if e.RetryAfter > 0 || e.Status == http.StatusTooManyRequests {
		h.Set("Retry-After", strconv.Itoa(max(1, int((e.RetryAfter+time.Second-1)/time.Second))))
	}
	if e.Status != http.StatusUnauthorized && e.Challenge == "" {
		return
	}
	challenge := "Bearer"
	switch {
	case e.Challenge != "":
		challenge += " " + e.Challenge
	case e.Code == errInvalidToken.Code || e.Code == errTokenExpired.Code || e.Code == errTokenRevoked.Code:
		challenge += ` error="invalid_token", error_description=` + strconv.Quote(e.Message)
	}
	h.Set("WWW-Authenticate", challenge)
}

// cookieWriter writes the cookies of a call before the first byte of a page.
type cookieWriter struct {
	http.ResponseWriter
	call  *Call
	wrote bool
}

func (w *cookieWriter) WriteHeader(status int) {
	w.flushCookies()
	w.ResponseWriter.WriteHeader(status)
}

func (w *cookieWriter) Write(b []byte) (int, error) {
	w.flushCookies()
	return w.ResponseWriter.Write(b)
}

func (w *cookieWriter) flushCookies() {
	if !w.wrote {
		w.wrote = true
		w.call.writeCookies(w.ResponseWriter)
	}
}

// Unwrap serves http.ResponseController.
func (w *cookieWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
