package password

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/phc"
	"github.com/ostiary/ostiary/store"
)

// Config says how passwords are kept. The zero value is safe.
type Config struct {
	// Hash is "argon2id:m=65536,t=3,p=1" (the default) or "bcrypt:cost=12". Hashes made with others are made again when
	// their owner signs in.
	Hash   string
	Policy Policy // which passwords are good enough
	// Breaches is asked about every new password that the policy lets through. Nil: nobody is asked.
	Breaches Breaches
	// Permits is how many hashes run at a time, Queue how many may wait. 0: see NewPool.
	Permits, Queue int

	ResetTTL  time.Duration // how long a reset link works. Default 1 hour, at most 24
	VerifyTTL time.Duration // how long a link that confirms an address works. Default 24 hours, at most 7 days
}

// Method is sign-in with an address and a password, and what belongs to it: sign-up, forgotten passwords, addresses and
// the first administrator. Make it with New.
type Method struct {
	kit    *ostiary.Kit
	policy Policy
	params phc.Params
	dummy  string // a hash that no password matches, for accounts that have none
	pool   runner

	breaches   Breaches
	unchecked  tally
	estimators chan struct{} // holds one for each estimate that runs

	resetTTL, verifyTTL time.Duration
}

// runner runs a hash when its turn comes; see Pool.Do.
type runner interface {
	Do(ctx context.Context, source netip.Addr, reserved bool, fn func()) error
}

// New makes the method. An error says what is wrong with the configuration.
func New(cfg Config) (*Method, error) {
	params := phc.Default()
	if cfg.Hash != "" {
		var err error
		if params, err = phc.ParseParams(cfg.Hash); err != nil {
			return nil, err
		}
	}
	if err := cfg.Policy.Validate(); err != nil {
		return nil, err
	}
	if cfg.Permits < 0 || cfg.Queue < 0 {
		return nil, errors.New("password: Permits and Queue must not be negative")
	}
	if cfg.Permits == 0 {
		cfg.Permits = Permits(params.Memory())
	}
	m := &Method{
		policy: cfg.Policy, params: params, dummy: phc.Dummy(params), pool: NewPool(cfg.Permits, cfg.Queue),
		breaches: cfg.Breaches, estimators: estimators(),
	}
	var err error
	if m.resetTTL, err = ttl("ResetTTL", cfg.ResetTTL, time.Hour, 24*time.Hour); err != nil {
		return nil, err
	}
	m.verifyTTL, err = ttl("VerifyTTL", cfg.VerifyTTL, 24*time.Hour, 7*24*time.Hour)
	return m, err
}

func ttl(name string, given, usual, most time.Duration) (time.Duration, error) {
	if given == 0 {
		return usual, nil
	}
	if given < time.Minute || given > most {
		return 0, fmt.Errorf("password: %s must be between 1m and %s", name, most)
	}
	return given, nil
}

// Name is "password".
func (m *Method) Name() string { return "password" }

// Field is the member of a request that holds a password.
func (m *Method) Field() string { return "password" }

// WayIn: a password signs in, and so does a verified address, by choosing a new password.
func (m *Method) WayIn(by string) bool { return by == m.Name() || by == ostiary.Mailbox }

// Routes is called by the engine.
func (m *Method) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	m.kit = k
	return []ostiary.Route{
		{
			Name: "register", Pattern: "POST /api/v1/register", Access: ostiary.Public, Status: 201, Serve: ostiary.Prove(m.register),
			Doc: "Creates an account and signs in, or answers verification_required when sign-up does not tell which addresses are taken.",
		},
		{
			Name: "login", Pattern: "POST /api/v1/login", Access: ostiary.Public, Guess: true, Serve: ostiary.Prove(m.login),
			Doc: "Signs in with an address and a password.",
		},
		{
			Name: "password.change", Pattern: "POST /api/v1/password/change", Guess: true, Serve: ostiary.JSON(m.change),
			Doc: "Changes one's own password and ends every other session.",
		},
		{
			Name: "password.strength", Pattern: "POST /api/v1/password/strength", Access: ostiary.Public, Rate: estimateRate(), MaxBody: 8 << 10,
			Serve: ostiary.JSON(m.strength), Doc: "Estimates how hard a password is to guess, while it is typed. It is not kept.",
		},
		{
			Name: "password.forgot", Pattern: "POST /api/v1/password/forgot", Access: ostiary.Public, Mail: true, Status: 202, Serve: ostiary.JSON(m.forgot),
			Doc: "Sends a link with which a new password can be chosen, if there is an account.",
		},
		{
			Name: "password.reset", Pattern: "POST /api/v1/password/reset", Access: ostiary.Public, Serve: ostiary.JSON(m.reset),
			Doc: "Chooses a new password with the token of a link, and ends every session.",
		},
		{
			Name: "email.verify", Pattern: "POST /api/v1/email/verify", Access: ostiary.Public, Serve: ostiary.JSON(m.verify),
			Doc: "Confirms an address, the first one or a new one, with the token of a link.",
		},
		{
			Name: "email.verify.resend", Pattern: "POST /api/v1/email/verify/resend", Access: ostiary.Optional, Mail: true, Status: 202, Serve: ostiary.JSON(m.resend),
			Doc: "Sends the link again that confirms an address, if there is an account that needs it.",
		},
		{
			Name: "email.change", Pattern: "POST /api/v1/email/change", Guess: true, Mail: true, Status: 202, Serve: ostiary.JSON(m.changeEmail),
			Doc: "Asks for another address, which takes effect when the link in the mail to it was opened.",
		},
		{
			Name: "email.revert", Pattern: "POST /api/v1/email/revert", Access: ostiary.Public, Serve: ostiary.JSON(m.revertEmail),
			Doc: "Brings the old address back with the token of the mail that told of the change, and ends every session.",
		},
		{
			Name: "setup", Pattern: "POST /api/v1/setup", Access: ostiary.Public, Status: 201, Serve: ostiary.Prove(m.setup),
			Doc: "Creates the first administrator with the token of the set-up link.",
		},
	}, nil
}

// Accepted is the answer {}: what follows is told by mail, if at all.
type Accepted struct{}

// The refusals of this method, beside those of the engine whose codes they share.
var (
	errWrong      = ostiary.Fail(401, "invalid_credentials", "The address or the password is not right.")
	errTicket     = ostiary.Fail(400, "invalid_ticket", "This link or code is wrong, was used before, or has expired.")
	errTaken      = ostiary.Fail(409, "email_taken", "There is an account with this address already.")
	errConflict   = ostiary.Fail(409, "conflict", "Somebody else changed this at the same moment. Please try again.")
	errClosed     = ostiary.Fail(403, "signup_closed", "New accounts cannot be created here.")
	errSetupDone  = ostiary.Fail(403, "forbidden", "Set-up is closed: there is an administrator already.")
	errSignedOut  = ostiary.Fail(401, "not_authenticated", "You are not signed in.")
	errOverloaded = ostiary.Fail(503, "overloaded", "Too many people are signing in at this moment. Please try again soon.")
	errMalformed  = ostiary.Fail(400, "invalid_request", "The request is not valid.")
)

// found turns what is missing into false.
func found(err error) (bool, error) {
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
