package ostiary

import (
	"context"
	"net/http"
	"reflect"

	"github.com/ostiary/ostiary/internal/web"
	"github.com/ostiary/ostiary/store"
)

// Route is one address that is served, as data. The zero value is closed: signed in, same origin, rate-limited,
// problem+json.
type Route struct {
	// Name is the operation id; pages name the route that a form submits to with it.
	Name string
	// Pattern is a method and a path below Config.URL: "POST /api/v1/login", with wildcards as in [http.ServeMux].
	Pattern string
	Access  Access
	Need    []Check
	// Rate is the limit for one source. Zero: 60 at once and one a second, or 300 and ten a second for reads.
	Rate store.Rate
	// Guess marks routes where a secret can be guessed: failures are counted for the source and, when the input is an
	// [AccountKey], for the account.
	Guess bool
	// CrossSite exempts from the origin check what is called from other sites by design and never reads a cookie.
	CrossSite bool
	// Scope lets tokens of other clients in that hold it (R2). Credential, session, key and admin routes declare none.
	Scope string
	// Keys lets API keys in, whatever their scopes: only for what shows no more than who is calling.
	Keys bool
	// Mail refuses with mail_not_configured when no mail can be sent.
	Mail bool
	// Status of a success. 0: 200, or 204 when the endpoint answers nothing.
	Status int
	// MaxBody is the largest body in bytes. 0: 64 KiB.
	MaxBody int64
	Doc     string // one sentence, for the OpenAPI document
	Serve   Endpoint
	// Fail writes an error. Nil: problem+json.
	Fail func(w http.ResponseWriter, r *http.Request, e *Error)

	owner string // the method or part that brought it
}

// Access says who may call a route.
type Access int

// The kinds of access.
const (
	SignedIn Access = iota // somebody must be signed in
	Optional               // whoever is signed in is looked up
	Public                 // credentials are not even looked at
)

// Endpoint is what a route runs: made by [JSON], [Prove] or [HTTP].
type Endpoint struct {
	in, out reflect.Type
	proves  bool
	run     func(ctx context.Context, c *Call, in any) (any, error)
	http    func(w http.ResponseWriter, r *http.Request, c *Call) error
}

// Types returns the input and output struct of an endpoint (nil for [HTTP]), and whether it ends in a sign-in: what the
// OpenAPI document is printed from.
func (e Endpoint) Types() (in, out reflect.Type, proves bool) { return e.in, e.out, e.proves }

// None is the input of an endpoint that takes nothing, and the output of one that answers 204.
type None struct{}

// JSON makes an endpoint from a function of values: In is filled from `json`, `path` and `query` tags (a page's form fills
// the same struct), Out becomes the body.
func JSON[In, Out any](fn func(ctx context.Context, c *Call, in *In) (Out, error)) Endpoint {
	return Endpoint{
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		run: func(ctx context.Context, c *Call, in any) (any, error) { return fn(ctx, c, in.(*In)) },
	}
}

// Prove makes an endpoint that says who somebody is; the engine does the rest. In must embed [Deliver].
func Prove[In any, P interface {
	*In
	deliver() *Deliver
}](fn func(ctx context.Context, c *Call, in P) (Proof, error)) Endpoint {
	return Endpoint{
		in: reflect.TypeFor[In](), out: reflect.TypeFor[SignedInAnswer](), proves: true,
		run: func(ctx context.Context, c *Call, in any) (any, error) { return fn(ctx, c, P(in.(*In))) },
	}
}

// HTTP makes an endpoint that writes the response itself: pages, redirects. An error that is returned must not have been
// preceded by a write.
func HTTP(fn func(w http.ResponseWriter, r *http.Request, c *Call) error) Endpoint {
	return Endpoint{http: fn}
}

// Deliver is embedded by the inputs of [Prove]: how the caller wants his credentials.
type Deliver struct {
	Delivery store.Delivery `json:"delivery,omitempty"`
	Audience []string       `json:"audience,omitempty"`
	Claims   []string       `json:"claims,omitempty"`
}

func (d *Deliver) deliver() *Deliver { return d }

// AccountKey is an input that names the account whose secret is guessed: its address in the normal form ([Kit.NormalEmail]),
// which is also what a device is known for (R39), or another name that is unique among all accounts. "" names none.
type AccountKey interface{ AccountKey() string }

func (r *Route) newInput() any { return reflect.New(r.Serve.in).Interface() }

func (r *Route) success() int {
	switch {
	case r.Status != 0:
		return r.Status
	case r.Serve.out == reflect.TypeFor[None]():
		return http.StatusNoContent
	default:
		return http.StatusOK
	}
}

func (r *Route) maxBody() int64 {
	if r.MaxBody != 0 {
		return r.MaxBody
	}
	return 64 << 10
}

func (r *Route) fail(w http.ResponseWriter, req *http.Request, e *Error) {
	if r.Fail != nil {
		r.Fail(w, req, e)
		return
	}
	writeProblem(w, req, e)
}

// problemDocument is RFC 9457 with our members.
type problemDocument struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Code      string       `json:"code"`
	Errors    []FieldError `json:"errors,omitempty"`
	RequestID string       `json:"request_id,omitempty"`
}

func writeProblem(w http.ResponseWriter, r *http.Request, e *Error) {
	writeErrorHeaders(w.Header(), e)
	_ = web.WriteProblem(w, e.Status, problemDocument{
		Type: "about:blank", Title: http.StatusText(e.Status), Status: e.Status, Detail: e.Message, Code: e.Code,
		Errors: e.Fields, RequestID: requestID(r.Context()),
	})
}
