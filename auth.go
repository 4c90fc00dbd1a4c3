package ostiary

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/follow"
	"github.com/ostiary/ostiary/internal/keys"
	"github.com/ostiary/ostiary/internal/limit"
	"github.com/ostiary/ostiary/secure"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// Auth is the engine: a handler for all routes below Config.URL, and the middleware for yours. Make it with [New].
type Auth struct {
	cfg      Config
	base     *url.URL
	issuer   string
	prefix   string // path of the URL, "" at the root
	secure   bool   // the URL is https
	now      func() time.Time
	log      *slog.Logger
	store    store.Store
	volatile store.Volatile
	node     string // names this process among those on the store

	ring     *token.Ring
	rotator  *keys.Rotator
	algs     []token.Alg // that our own tokens may be signed with
	follower *follow.Follower
	persons  *follow.Cache[[16]byte, *person]
	sessions *follow.Cache[[32]byte, *liveSession]
	byID     *follow.Cache[string, *liveSession] // the same sessions, for refreshing
	going    *follow.Cache[string, *person]      // sessions that the log did not name since that person was read
	tokens   *follow.Cache[string, *liveToken]
	policy   atomic.Pointer[authz.Policy]
	sources  *limit.Table
	spray    *spray
	alarms   chan alarm
	proxies  secure.Proxies

	mux            *http.ServeMux
	api            http.Handler // the mux, with CORS
	toHTTPS        http.Handler // what came in the clear
	served         []*Route
	named          map[string]*Route
	authenticators []Authenticator
	verifiers      map[string]Verifier
	proxyOnce      sync.Once
	prefixOnce     sync.Once

	longest  atomic.Int64 // the longest token lifetime, in nanoseconds
	mailWake chan struct{}
	policyAt atomic.Bool // the policy must be read again
	leased   atomic.Bool // this node has swept, and may hold the lease
	stop     context.CancelFunc
	work     sync.WaitGroup
}

// How much is remembered. Whatever is forgotten costs a read.
const (
	cachedPersons  = 50_000
	cachedSessions = 100_000
	cachedTokens   = 10_000
)

func (c *Config) cached(size int) int {
	if c.Sessions.Uncached {
		return 0
	}
	return size
}

// New makes an engine and starts its background work, which ends with [Auth.Close]. ctx bounds the start only.
func New(ctx context.Context, cfg Config) (*Auth, error) {
	base, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	a := &Auth{
		cfg: cfg, base: base, issuer: base.String(), prefix: base.Path, secure: base.Scheme == "https",
		now: cfg.Now, log: cfg.Log, store: cfg.Store, volatile: cfg.Volatile, node: newRequestID(),
		ring: token.NewRing(), algs: ownAlgs(cfg.Tokens.Alg),
		persons:  follow.NewCache[[16]byte, *person](cachedPersons),
		sessions: follow.NewCache[[32]byte, *liveSession](cfg.cached(cachedSessions)),
		byID:     follow.NewCache[string, *liveSession](cfg.cached(cachedSessions)),
		going:    follow.NewCache[string, *person](cachedSessions),
		tokens:   follow.NewCache[string, *liveToken](cachedTokens),
		sources:  limit.New(0), spray: newSpray(), alarms: make(chan alarm, alarmQueue), proxies: cfg.Proxies,
		mux: http.NewServeMux(), named: map[string]*Route{}, verifiers: map[string]Verifier{},
		mailWake: make(chan struct{}, 1),
	}
	a.follower = follow.New(a.store.Log(), a.log, a.onLog, a.onReset)
	if err := a.open(ctx); err != nil {
		return nil, err
	}
	if err := a.mount(); err != nil {
		return nil, err
	}
	a.start()
	return a, nil
}

// ownAlgs are the algorithms of tokens that we may have signed: the configured one, and after a change of configuration
// the other asymmetric ones until the last such token has expired. HS256 is accepted only where it is configured (R41).
func ownAlgs(configured token.Alg) []token.Alg {
	algs := []token.Alg{token.ES256, token.EdDSA, token.RS256, token.PS256}
	if !slices.Contains(algs, configured) {
		algs = append(algs, configured)
	}
	return algs
}

// open reads what the engine needs before it can answer.
func (a *Auth) open(ctx context.Context) error {
	if err := a.follower.Sync(ctx); err != nil {
		return fmt.Errorf("ostiary: read the revocation log: %w", err)
	}
	if err := a.keepLongestLifetime(ctx); err != nil {
		return fmt.Errorf("ostiary: longest token lifetime: %w", err)
	}
	a.rotator = keys.NewRotator(keys.RotatorConfig{
		Store: a.store, Master: a.cfg.Key.master, Ring: a.ring, Algs: []token.Alg{a.cfg.Tokens.Alg},
		Every: a.cfg.Tokens.Rotation, Ahead: jwksMaxAge + 5*upkeepEvery, TokenTTL: a.longestLifetime(), Now: a.now,
	})
	if err := a.rotator.Load(ctx); err != nil {
		return fmt.Errorf("ostiary: load signing keys: %w", err)
	}
	if err := a.loadPolicy(ctx); err != nil {
		return fmt.Errorf("ostiary: load roles: %w", err)
	}
	return nil
}

// mount collects the routes of the engine, the methods and the parts. Conflicts are errors.
func (a *Auth) mount() error {
	routes := slices.Concat(a.coreRoutes(), a.trustedRoutes(), a.recoveryRoutes())
	for _, m := range a.cfg.Methods {
		own, err := m.Routes(a.kit(m.Name()))
		if err != nil {
			return fmt.Errorf("ostiary: method %s: %w", m.Name(), err)
		}
		routes = append(routes, owned(m.Name(), own)...)
		if v, ok := m.(Verifier); ok {
			a.verifiers[m.Name()] = v
		}
	}
	for _, p := range a.cfg.Parts {
		own, err := p.Routes(&Engine{Kit: a.kit(p.Name())})
		if err != nil {
			return fmt.Errorf("ostiary: part %s: %w", p.Name(), err)
		}
		routes = append(routes, owned(p.Name(), own)...)
		if other, ok := p.(Authenticator); ok {
			a.authenticators = append(a.authenticators, other)
		}
	}
	for _, r := range routes {
		if err := a.handle(r); err != nil {
			return err
		}
	}
	return a.around()
}

// around puts around the routes what depends on the configuration alone: browsers of the configured origins may call the
// JSON API and nothing else (R4), and what came in the clear is sent to https.
func (a *Auth) around() error {
	cors, err := secure.CORS{
		Origins: a.cfg.Origins, Methods: []string{"PATCH", "PUT", "DELETE"}, Headers: []string{"Authorization", "Content-Type"},
		Expose: []string{"RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id"}, Credentials: true,
	}.Middleware()
	if err != nil {
		return fmt.Errorf("ostiary: Config.Origins: %w", err)
	}
	a.api = cors(http.HandlerFunc(a.dispatch))
	https, err := secure.HTTPS{Host: a.base.Host, Proxies: a.proxies}.Middleware()
	if err != nil {
		return fmt.Errorf("ostiary: Config.URL: %w", err)
	}
	a.toHTTPS = https(http.HandlerFunc(a.route))
	return nil
}

func owned(name string, routes []Route) []Route {
	for i := range routes {
		routes[i].owner = name
	}
	return routes
}

func (a *Auth) handle(r Route) (err error) {
	if a.named[r.Name] != nil || r.Name == "" {
		return fmt.Errorf("ostiary: two routes are named %q (%s)", r.Name, r.Pattern)
	}
	if r.Serve.run == nil && r.Serve.http == nil {
		return fmt.Errorf("ostiary: route %q serves nothing", r.Name)
	}
	defer func() {
		if p := recover(); p != nil { // http.ServeMux reports a bad or conflicting pattern by panicking
			err = fmt.Errorf("ostiary: route %q: %v", r.Name, p)
		}
	}()
	method, path := r.split()
	if !strings.HasPrefix(path, "/.well-known/") { // these are served at the root of the host, whatever the prefix (RFC 8615, R43)
		path = a.prefix + path
	}
	route := &r
	a.mux.Handle(method+" "+path, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { a.serve(w, req, route) }))
	a.named[r.Name] = route
	a.served = append(a.served, route)
	return nil
}

// Routes returns everything that is served, for documents and tests.
func (a *Auth) Routes() []Route {
	routes := make([]Route, 0, len(a.served))
	for _, r := range a.served {
		routes = append(routes, *r)
	}
	return routes
}

// Issuer is Config.URL: the iss of every token.
func (a *Auth) Issuer() string { return a.issuer }

// Engine returns what a part is given, for programs that administer: the command line. Events name the actor.
func (a *Auth) Engine(actor string) (*Engine, *Call) {
	return &Engine{Kit: a.kit(actor)}, &Call{auth: a, actor: actor}
}

// Ready fails when a store cannot answer.
func (a *Auth) Ready(ctx context.Context) error {
	if err := a.store.Ping(ctx); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := a.volatile.Ping(ctx); err != nil {
		return fmt.Errorf("session store: %w", err)
	}
	return a.follower.Current(ctx)
}

// Close ends the background work. Requests that are under way finish; the stores stay open.
func (a *Auth) Close() error {
	a.stop()
	a.work.Wait()
	if a.leased.Load() {
		a.release()
	}
	return nil
}

// onLog drops what the log says has changed.
func (a *Auth) onLog(entries []store.Entry) {
	for _, e := range entries {
		switch e.Kind {
		case store.KindChanged:
			a.persons.Drop(e.Hash)
		case store.KindPolicy, store.KindKey:
			a.policyAt.Store(true)
		}
	}
	if a.policyAt.Swap(false) {
		a.reload()
	}
}

// onReset forgets everything: the log began again.
func (a *Auth) onReset() {
	a.persons.Clear()
	a.sessions.Clear()
	a.byID.Clear()
	a.going.Clear()
	a.tokens.Clear()
	a.reload()
}

// reload reads roles and signing keys again. If that fails they stay as they were, and upkeep tries again.
func (a *Auth) reload() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := errors.Join(a.loadPolicy(ctx), a.rotator.Load(ctx)); err != nil {
		a.policyAt.Store(true)
		a.log.Error("roles and keys could not be read again", "error", err)
	}
}
