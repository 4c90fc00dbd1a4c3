package passkey

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/ostiary/ostiary"
)

// Attestation says what an authenticator is asked to tell of its make (WebAuthn §5.4.7).
type Attestation string

// The attestation policies. What is told must be signed correctly; it is not held against a list of trusted makers.
const (
	AttestationNone     Attestation = "none"     // nothing
	AttestationIndirect Attestation = "indirect" // what the browser sees fit
	AttestationDirect   Attestation = "direct"   // everything
)

// Config says how passkeys are asked for. The zero value is safe. The relying party ID and the origin are those of the
// engine's URL, and nothing else (R5).
type Config struct {
	Attestation Attestation // default AttestationNone
	// RelatedOrigins are further https origins whose pages may use the passkeys of this host: the old and new name of a
	// site that moves (WebAuthn §5.11). They are published at /.well-known/webauthn.
	RelatedOrigins []string
	// RequireVerification refuses passkeys that do not check their person by PIN, finger or face. Otherwise this is asked
	// for and not demanded; a passkey that does it counts as two factors.
	RequireVerification bool
	// Timeout is how long a challenge can be answered. Default 5 minutes, 30 seconds to 1 hour.
	Timeout time.Duration
}

// Method is sign-in with passkeys. Make it with New.
type Method struct {
	cfg   Config
	kit   *ostiary.Kit
	party *party // nil: the URL allows no passkeys
}

// New makes the method. An error says what is wrong with the configuration.
func New(cfg Config) (*Method, error) {
	if cfg.Attestation == "" {
		cfg.Attestation = AttestationNone
	}
	switch cfg.Attestation {
	case AttestationNone, AttestationIndirect, AttestationDirect:
	default:
		return nil, fmt.Errorf("passkey: Attestation %q is none of none, indirect, direct", cfg.Attestation)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Minute
	}
	if cfg.Timeout < 30*time.Second || cfg.Timeout > time.Hour {
		return nil, errors.New("passkey: Timeout must be between 30s and 1h")
	}
	if err := CheckRelatedOrigins(cfg.RelatedOrigins); err != nil {
		return nil, err
	}
	return &Method{cfg: cfg}, nil
}

// Name is "passkey".
func (m *Method) Name() string { return "passkey" }

// Field is the member of a request that holds what a passkey answered.
func (m *Method) Field() string { return "credential" }

// Guessable is false: a signature cannot be guessed.
func (m *Method) Guessable() bool { return false }

// WayIn: a passkey signs in where the URL allows passkeys.
func (m *Method) WayIn(by string) bool { return by == m.Name() && m.party != nil }

// fresh is how recent the proof must be with which somebody changes his passkeys.
const fresh = ostiary.Fresh(10 * time.Minute)

// Routes is called by the engine.
func (m *Method) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	m.kit = k
	var err error
	if m.party, err = newParty(k, m.cfg); err != nil {
		k.Log.Warn("there are no passkeys: browsers demand https and a host name, or localhost", "url", k.Link(""), "error", err)
	}
	routes := append(m.ceremonies(), m.management()...)
	if m.party == nil || len(m.cfg.RelatedOrigins) == 0 {
		return routes, nil
	}
	related, err := relatedRoute(m.cfg.RelatedOrigins)
	return append(routes, related), err
}

func (m *Method) ceremonies() []ostiary.Route {
	return []ostiary.Route{
		{
			Name: "passkey.register.begin", Pattern: "POST /api/v1/passkeys/register/begin", Need: []ostiary.Check{fresh}, Serve: ostiary.JSON(m.beginRegister),
			Doc: "Begins to register a passkey for the person who is signed in.",
		},
		{
			Name: "passkey.register.finish", Pattern: "POST /api/v1/passkeys/register/finish", Need: []ostiary.Check{fresh}, Status: 201, Serve: ostiary.JSON(m.finishRegister),
			Doc: "Registers the passkey that the browser made.",
		},
		{
			Name: "passkey.login.begin", Pattern: "POST /api/v1/passkeys/login/begin", Access: ostiary.Public, Serve: ostiary.JSON(m.beginLogin),
			Doc: "Begins a sign-in with a passkey. Nobody needs to be named.",
		},
		{
			Name: "passkey.login.finish", Pattern: "POST /api/v1/passkeys/login/finish", Access: ostiary.Public, Serve: ostiary.Prove(m.finishLogin),
			Doc: "Signs in with what a passkey answered.",
		},
		{
			Name: "register.passkey.begin", Pattern: "POST /api/v1/register/passkey/begin", Access: ostiary.Public, Serve: ostiary.JSON(m.beginSignUp),
			Doc: "Begins the registration of an account that has only a passkey.",
		},
		{
			Name: "register.passkey.finish", Pattern: "POST /api/v1/register/passkey/finish", Access: ostiary.Public, Status: 201, Serve: ostiary.Prove(m.finishSignUp),
			Doc: "Creates an account that has only a passkey and signs in, or answers verification_required when sign-up does not tell which addresses are taken.",
		},
	}
}

func (m *Method) management() []ostiary.Route {
	return []ostiary.Route{
		{
			Name: "passkeys.list", Pattern: "GET /api/v1/passkeys", Serve: ostiary.JSON(m.list),
			Doc: "Lists one's own passkeys.",
		},
		{
			Name: "passkeys.update", Pattern: "PATCH /api/v1/passkeys/{id}", Need: []ostiary.Check{fresh}, Serve: ostiary.JSON(m.update),
			Doc: "Renames a passkey, or says whether sign-in with a password demands it.",
		},
		{
			Name: "passkeys.delete", Pattern: "DELETE /api/v1/passkeys/{id}", Need: []ostiary.Check{fresh}, Serve: ostiary.JSON(m.remove),
			Doc: "Removes a passkey, unless it is the last way into the account.",
		},
	}
}

// The refusals of this method, beside those of the engine whose codes they share.
var (
	errUnavailable = ostiary.Fail(503, "passkeys_unavailable", "This server's address cannot have passkeys: it must be reached by https and a name.")
	errUnknown     = ostiary.Fail(401, "invalid_credentials", "This passkey is not known here, or its answer is not right.")
	errFactor      = ostiary.Fail(401, "mfa_failed", "This passkey is not one of yours, or its answer is not right.")
	errTicket      = ostiary.Fail(400, "invalid_ticket", "This took too long, or was answered before. Please try again.")
	errMalformed   = ostiary.Fail(400, "invalid_request", "The request is not valid.")
	errRegistered  = ostiary.Fail(409, "conflict", "This passkey is registered already.")
	errTooMany     = ostiary.Fail(409, "conflict", "There are as many passkeys as an account can have: remove one first.")
	errNotFound    = ostiary.Fail(404, "not_found", "There is no such passkey.")
	errClosed      = ostiary.Fail(403, "signup_closed", "New accounts cannot be created here.")
	errTaken       = ostiary.Fail(409, "email_taken", "There is an account with this address already.")
	errOnlyWay     = ostiary.Fail(400, "invalid_request", "This passkey does not check its person, so it cannot be both steps: set a password first.")
)

func (a Attestation) conveyance() protocol.ConveyancePreference {
	return protocol.ConveyancePreference(a)
}
