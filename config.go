package ostiary

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/keys"
	"github.com/ostiary/ostiary/secure"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// Config says what an [Auth] is made of. URL, Store and Key are required; everything else has a safe zero value. Settings
// of a method or part live with it.
type Config struct {
	// URL is the public base: the issuer of tokens, the start of every link in a mail, and with its path the place where
	// the handler is mounted ("https://app.example.com/auth"). It must be https, except on localhost (R5).
	URL string
	// Store keeps everything durable. The caller closes it, after the Auth.
	Store store.Store
	// Volatile keeps sessions and counters. Nil: Store, which must then implement it.
	Volatile store.Volatile
	// Key holds the master keys that seal and bind what is stored.
	Key Key

	Methods []Method // ways to prove who somebody is
	Parts   []Part   // whole surfaces: pages, account, administration

	// Mailer delivers mail. Nil: routes that need mail answer 503 mail_not_configured.
	Mailer Mailer
	// Product is the name that pages and mails show. Default "Ostiary".
	Product string

	SignUp SignUp // who may create an account. Default SignUpOpen
	// SignUpQuiet makes registration answer the same whether the address is taken or not (R34).
	SignUpQuiet bool
	// RequireVerifiedEmail refuses sign-in until the address was verified, and implies SignUpQuiet.
	RequireVerifiedEmail bool

	// TrustDevices is how long a browser may skip the second factor once its owner asked for that while showing one: at most
	// 30 days. Default 0: never.
	TrustDevices time.Duration

	Sessions SessionConfig
	Tokens   TokenConfig
	Roles    []authz.Role // fixed in code; those of the store are added

	// Events is how long what happened is kept. Default 400 days; at least a day.
	Events time.Duration

	Proxies      []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed
	AllowedHosts []string       // Host values that are served beside the one of URL
	Origins      []string       // web origins that may call /api/v1 from a browser (CORS)

	// InsecureHTTP allows a plain http URL on a host other than localhost: cookies are then neither Secure nor prefixed.
	InsecureHTTP bool
	// InsecureNoRateLimits turns every rate limit off. For load tests only.
	InsecureNoRateLimits bool

	// Passive leaves upkeep and mail to the servers on the same store: for programs that run one command and end.
	Passive bool

	Log *slog.Logger     // default: slog.Default()
	Now func() time.Time // tests only; timers are real. Default time.Now
}

// SessionConfig says how long a sign-in lasts (R16).
type SessionConfig struct {
	TTL  time.Duration // from sign-in. Default 30 days
	Idle time.Duration // without use; at most TTL. Default 7 days
	// Uncached reads the session from the store at every request, instead of remembering it until the revocation log says
	// otherwise.
	Uncached bool
}

// TokenConfig says what tokens look like and how long they live.
type TokenConfig struct {
	Access    time.Duration // default 15 minutes; 1 second to 24 hours
	Refresh   time.Duration // after the last use. Default 7 days
	Alg       token.Alg     // default ES256
	Rotation  time.Duration // of signing keys. Default 24 hours
	Audiences []string      // that a first-party sign-in may ask for (R2)
}

// SignUp says who may create an account.
type SignUp string

// The sign-up policies.
const (
	SignUpOpen   SignUp = "open"
	SignUpInvite SignUp = "invite"
	SignUpClosed SignUp = "closed"
)

// Key is a ring of master keys; the first one is current. It prints nothing.
type Key struct{ master keys.Master }

// OpenKey reads master keys from a file, one a line, and creates it with mode 0600 when it is missing. A file that others
// may read is refused (R42).
func OpenKey(path string) (Key, error) {
	m, err := keys.OpenMaster(path)
	return Key{m}, err
}

// LoadKey is [OpenKey] for a file that must exist.
func LoadKey(path string) (Key, error) {
	m, err := keys.LoadMaster(path)
	return Key{m}, err
}

// ParseKey reads master keys from text: base64url or hexadecimal, 32 bytes each, one a line.
func ParseKey(text []byte) (Key, error) {
	m, err := keys.ParseMaster(text)
	return Key{m}, err
}

// NewKey makes a random master key that nobody keeps: for tests.
func NewKey() (Key, error) {
	m, err := keys.NewMaster()
	return Key{m}, err
}

// ErrWrongKey says that what is stored was sealed under a master key that the ring does not hold.
var ErrWrongKey = keys.ErrSealed

// IDs names the keys of the ring without revealing them, the current one first.
func (k Key) IDs() []string {
	var ids []string
	for _, id := range k.master.IDs() {
		ids = append(ids, id.String())
	}
	return ids
}

// String prints nothing of the key.
func (k Key) String() string { return "[master key]" }

// GoString prints nothing of the key.
func (k Key) GoString() string { return k.String() }

// LogValue prints nothing of the key.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Mailer turns a notice into a mail and hands it to a mail server. An error that wraps [ErrUndeliverable] is final; every
// other one is tried again later.
type Mailer interface {
	Deliver(ctx context.Context, n Notice) error
}

// ErrUndeliverable says that a mail will never be delivered.
var ErrUndeliverable = errors.New("undeliverable")

// Notice is a mail before it has words.
type Notice struct {
	To       string            `json:"to"`
	Template string            `json:"template"`
	Locale   string            `json:"locale,omitempty"`
	Data     map[string]string `json:"data,omitempty"`
}

func (c *Config) validate() (*url.URL, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	if c.Store == nil {
		return nil, errors.New("ostiary: Config.Store is missing")
	}
	if c.Volatile == nil {
		v, ok := c.Store.(store.Volatile)
		if !ok {
			return nil, errors.New("ostiary: Config.Volatile is missing, and the Store cannot keep sessions")
		}
		c.Volatile = v
	}
	if len(c.Key.master.IDs()) == 0 {
		return nil, errors.New("ostiary: Config.Key is missing; make one with OpenKey")
	}
	if err := secure.Proxies(c.Proxies).Valid(); err != nil {
		return nil, fmt.Errorf("ostiary: Config.Proxies: %w", err)
	}
	c.defaults()
	return base, c.checkValues()
}

// base checks the URL: links, the issuer and cookies are made from it and from nothing else (R5).
func (c *Config) base() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, fmt.Errorf("ostiary: Config.URL %q is not an absolute URL like https://id.example.com", c.URL)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return nil, fmt.Errorf("ostiary: Config.URL %q must have no user, query or fragment", c.URL)
	}
	if strings.HasSuffix(u.Path, "/") {
		u.Path = strings.TrimRight(u.Path, "/")
	}
	if strings.Contains(u.Path, "//") || strings.ContainsAny(u.Path, "{}") || u.RawPath != "" {
		return nil, fmt.Errorf("ostiary: the path of Config.URL %q must be plain", c.URL)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme != "http":
		return nil, fmt.Errorf("ostiary: Config.URL %q must start with https:// (or http://localhost)", c.URL)
	case u.Hostname() != "localhost" && !c.InsecureHTTP:
		return nil, fmt.Errorf("ostiary: Config.URL %q is plain http on a host that is not localhost: use https, or allow it with InsecureHTTP", c.URL)
	}
	return u, nil
}

func (c *Config) defaults() {
	set(&c.Product, "Ostiary")
	set(&c.SignUp, SignUpOpen)
	set(&c.Sessions.TTL, 30*24*time.Hour)
	set(&c.Sessions.Idle, min(7*24*time.Hour, c.Sessions.TTL))
	set(&c.Events, 400*24*time.Hour)
	set(&c.Tokens.Access, 15*time.Minute)
	set(&c.Tokens.Refresh, 7*24*time.Hour)
	set(&c.Tokens.Alg, token.ES256)
	set(&c.Tokens.Rotation, 24*time.Hour)
	if c.RequireVerifiedEmail {
		c.SignUpQuiet = true
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Config) checkValues() error {
	switch {
	case c.Sessions.TTL < time.Minute || c.Sessions.TTL > 400*24*time.Hour:
		return errors.New("ostiary: Sessions.TTL must be between 1m and 9600h")
	case c.Sessions.Idle < time.Minute || c.Sessions.Idle > c.Sessions.TTL:
		return errors.New("ostiary: Sessions.Idle must be between 1m and Sessions.TTL")
	case c.TrustDevices != 0 && (c.TrustDevices < time.Minute || c.TrustDevices > 30*24*time.Hour):
		return errors.New("ostiary: TrustDevices must be between 1m and 720h, or 0")
	case c.Events < 24*time.Hour:
		return errors.New("ostiary: Events must be at least 24h")
	case c.Tokens.Access < time.Second || c.Tokens.Access > 24*time.Hour:
		return errors.New("ostiary: Tokens.Access must be between 1s and 24h")
	case c.Tokens.Refresh < c.Tokens.Access:
		return errors.New("ostiary: Tokens.Refresh must not be shorter than Tokens.Access")
	case !c.Tokens.Alg.Valid():
		return fmt.Errorf("ostiary: Tokens.Alg %q is none of ES256, EdDSA, RS256, PS256, HS256", c.Tokens.Alg)
	case c.Tokens.Rotation < time.Hour:
		return errors.New("ostiary: Tokens.Rotation must be at least 1h")
	case c.SignUp != SignUpOpen && c.SignUp != SignUpInvite && c.SignUp != SignUpClosed:
		return fmt.Errorf("ostiary: SignUp %q is none of open, invite, closed", c.SignUp)
	case c.RequireVerifiedEmail && c.Mailer == nil:
		return errors.New("ostiary: RequireVerifiedEmail needs a Mailer")
	}
	return nil
}
