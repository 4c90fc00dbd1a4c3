package server

import (
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/passkey"
	"github.com/ostiary/ostiary/token"
)

// Config is every setting there is, flat. Each field is one flag, one variable (OSTIARY_ and the flag in capitals), one key
// of the YAML file and one line of doctor; the tags hold its name, its help, and the default that a zero value stands for.
// Log and Console are for programs and have no flag.
type Config struct {
	Listen         string         `name:"listen" group:"address" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on."`
	URL            string         `name:"url" group:"address" placeholder:"URL" help:"Public base URL: start of every link and issuer of every token. Default http://localhost and the port of --listen."`
	TrustedProxies []netip.Prefix `name:"trusted-proxies" group:"address" placeholder:"CIDR,…" help:"Networks of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."`
	AllowedHosts   []string       `name:"allowed-hosts" group:"address" placeholder:"HOST,…" help:"Host headers that are served beside the host of --url."`
	CORSOrigins    []string       `name:"cors-origins" group:"address" placeholder:"ORIGIN,…" help:"Web origins that may call the JSON API from a browser."`
	InsecureHTTP   bool           `name:"insecure-http" group:"address" help:"Allow a plain http --url on a host other than localhost. Cookies can then be stolen on the way."`

	Data          string   `name:"data" group:"storage" default:"ostiary-data" placeholder:"DIR" help:"Directory of everything that is kept, mode 0700."`
	DB            Location `name:"db" group:"storage" placeholder:"URL" help:"Database: sqlite:PATH, postgres://user:password@host/database?sslmode=verify-full or mysql://user:password@host/database?tls=true. Default ostiary.db in --data."`
	DBDirect      Location `name:"db-direct" group:"storage" placeholder:"URL" help:"The same PostgreSQL without the pooler that --db leads through, to be told at once what other nodes revoked."`
	DBReplica     Location `name:"db-replica" group:"storage" placeholder:"URL" help:"A copy of the PostgreSQL that may lag, for lists of people and events. Nothing else is ever read there."`
	DBConns       int      `name:"db-conns" group:"storage" placeholder:"N" help:"Most connections to a database server. Default 4 for each core, at most 32."`
	Redis         Location `name:"redis" group:"storage" placeholder:"URL" help:"Redis or Valkey for sessions and counters, which are otherwise kept in --db: redis://user:password@host:6379/0, rediss:// for TLS or unix:///path/to/socket."`
	MasterKey     Secret   `name:"master-key" group:"storage" placeholder:"KEY" help:"Master key: 32 bytes in base64url or hexadecimal. A file is safer."`
	MasterKeyFile string   `name:"master-key-file" group:"storage" placeholder:"FILE" help:"File of master keys, one a line, the first one current, mode 0600. Default master.key in --data, created when missing."`

	Product         string `name:"product" group:"mail" default:"Ostiary" placeholder:"NAME" help:"Name that pages and mails show."`
	SMTP            Secret `name:"smtp" group:"mail" placeholder:"URL" help:"Mail server: smtp://user:password@host:587?from=no-reply@example.com (or smtps://). Without one, mail is kept in the folder outbox of --data on localhost, and not available elsewhere."`
	SMTPFile        string `name:"smtp-file" group:"mail" placeholder:"FILE" help:"File that holds the URL of --smtp, mode 0600."`
	AllowMailOutbox bool   `name:"allow-mail-outbox" group:"mail" help:"Keep mail in the folder outbox although --url is not localhost. The files hold links that sign people in."`

	Signup               ostiary.SignUp      `name:"signup" group:"people" default:"open" placeholder:"open|invite|closed" help:"Who may create an account."`
	SignupTells          *bool               `name:"signup-tells" group:"people" negatable:"" placeholder:"true|false" help:"Registration says when an address has an account already. Default true, and false with --require-verified-email."`
	RequireVerifiedEmail bool                `name:"require-verified-email" group:"people" help:"Nobody signs in before the address was verified."`
	PasswordHash         string              `name:"password-hash" group:"people" default:"argon2id:m=65536,t=3,p=1" placeholder:"PARAMETERS" help:"Hash of new passwords: argon2id:m=KIB,t=PASSES,p=LANES or bcrypt:cost=N. 'ostiary hash tune' finds what suits this machine."`
	PasswordMinLength    int                 `name:"password-min-length" group:"people" default:"12" placeholder:"N" help:"Fewest characters of a new password, 8 to 256."`
	PasswordRequire      []string            `name:"password-require" group:"people" placeholder:"CLASS,…" help:"Classes that a new password must hold: upper, lower, digit, symbol."`
	BreachedPasswordsURL string              `name:"breached-passwords-url" group:"people" placeholder:"URL" help:"Server where new passwords are looked up among stolen ones by five digits of their SHA-1, such as https://api.pwnedpasswords.com/range/. Without one they are not."`
	ResetTTL             time.Duration       `name:"reset-ttl" group:"people" default:"1h" placeholder:"DURATION" help:"Life of a password-reset link, 5m to 24h."`
	MagicLinkTTL         time.Duration       `name:"magic-link-ttl" group:"people" default:"15m" placeholder:"DURATION" help:"Life of the link and the code in a mail that signs in, 1m to 1h."`
	MagicLinkSignup      bool                `name:"magic-link-signup" group:"people" help:"An address without an account gets one by the link or code, where --signup is open."`
	TrustDevices         time.Duration       `name:"trust-devices" group:"people" placeholder:"DURATION" help:"How long a browser may skip the second factor once its owner asked for that, 1h to 720h. Default: never."`
	PasskeyAttestation   passkey.Attestation `name:"passkey-attestation" group:"people" default:"none" placeholder:"none|indirect|direct" help:"What a new passkey is asked to tell of its make."`
	RelatedOrigins       []string            `name:"related-origins" group:"people" placeholder:"ORIGIN,…" help:"Further https origins whose pages may use the passkeys of this host: the old and the new name of a site that moves."`

	SessionTTL          time.Duration `name:"session-ttl" group:"sessions" default:"720h" placeholder:"DURATION" help:"Longest life of a sign-in."`
	SessionIdleTTL      time.Duration `name:"session-idle-ttl" group:"sessions" placeholder:"DURATION" help:"Life of a sign-in that is not used. Default 168h, or --session-ttl if that is shorter."`
	AccessTokenTTL      time.Duration `name:"access-token-ttl" group:"sessions" default:"15m" placeholder:"DURATION" help:"Life of an access token, 1s to 24h."`
	AccessTokenAlg      token.Alg     `name:"access-token-alg" group:"sessions" default:"ES256" placeholder:"ALG" help:"Signature of access tokens: ES256, EdDSA, RS256, PS256 or HS256."`
	RefreshTokenTTL     time.Duration `name:"refresh-token-ttl" group:"sessions" default:"168h" placeholder:"DURATION" help:"Life of a refresh token after its last use."`
	KeyRotation         time.Duration `name:"key-rotation" group:"sessions" default:"24h" placeholder:"DURATION" help:"How long a signing key signs, at least 1h."`
	FirstPartyAudiences []string      `name:"first-party-audiences" group:"sessions" placeholder:"AUDIENCE,…" help:"Audiences that a sign-in may ask its tokens for."`

	AuditRetention       time.Duration `name:"audit-retention" group:"running" default:"9600h" placeholder:"DURATION" help:"How long what happened is kept, at least 24h."`
	LogFormat            string        `name:"log-format" group:"running" default:"text" placeholder:"text|json" help:"Form of the log on standard error."`
	LogLevel             string        `name:"log-level" group:"running" default:"info" placeholder:"LEVEL" help:"Least level that is logged: debug (with every request), info, warn or error."`
	InsecureNoRateLimits bool          `name:"insecure-no-rate-limits" group:"running" help:"Turn every rate limit off. For load tests only."`

	// Version is what the OpenAPI document names. Default "dev".
	Version string `kong:"-"`
	// Log is where the server writes its log. Nil: standard error, as LogFormat and LogLevel say.
	Log *slog.Logger `kong:"-"`
	// Console is the terminal of whoever started the server. The set-up link goes there instead of into a file, and on
	// localhost so do notes of mails (R33). Nil: there is none.
	Console io.Writer `kong:"-"`
}

// Secret is a setting that is never printed.
type Secret string

// String prints nothing of the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// GoString prints nothing of the secret.
func (s Secret) GoString() string { return s.String() }

// LogValue prints nothing of the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText prints nothing of the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
