package magiclink

import (
	"errors"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// Config says how long a mail works, and for whom. The zero value is safe.
type Config struct {
	// TTL is how long link and code work. Default 15 minutes; 1 minute to 1 hour.
	TTL time.Duration
	// SignUp lets an address without an account get one when its link or code is used, where sign-up is open.
	SignUp bool
}

const (
	kind       = "ask" // of tickets
	cookie     = "magic"
	maxLive    = 3 // mails of one address that work at the same time (R30)
	maxGuesses = 5 // of the code of one ticket
)

// rateCodes is how often codes may be tried for one address, and then only links work: twelve at once and one more every 3
// hours, so never more than twenty in a day (R30).
var rateCodes = store.Rate{Burst: 12, Every: 3 * time.Hour}

// Method is sign-in by mail. Make it with New.
type Method struct {
	kit    *ostiary.Kit
	ttl    time.Duration
	signUp bool
}

// New makes the method. An error says what is wrong with the configuration.
func New(cfg Config) (*Method, error) {
	if cfg.TTL == 0 {
		cfg.TTL = 15 * time.Minute
	}
	if cfg.TTL < time.Minute || cfg.TTL > time.Hour {
		return nil, errors.New("magiclink: TTL must be between 1m and 1h")
	}
	return &Method{ttl: cfg.TTL, signUp: cfg.SignUp}, nil
}

// Name is "magiclink".
func (m *Method) Name() string { return "magiclink" }

// WayIn says that a proven mailbox is enough to sign in.
func (m *Method) WayIn(by string) bool { return by == ostiary.Mailbox }

// Routes is called by the engine.
func (m *Method) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	m.kit = k
	return []ostiary.Route{
		{
			Name: "magiclink.request", Pattern: "POST /api/v1/magic-link", Access: ostiary.Public, Mail: true, Status: 202, Serve: ostiary.JSON(m.ask),
			Doc: "Sends a mail with a link and a code that sign in, if there is an account. The answer never tells.",
		},
		{
			Name: "magiclink.consume", Pattern: "POST /api/v1/magic-link/consume", Access: ostiary.Public, Guess: true, Serve: ostiary.Prove(m.consume),
			Doc: "Signs in with the token of a link, in the browser that asked for it or with its ticket, or with ticket and code.",
		},
	}, nil
}

// The refusals of this method, beside those of the engine whose codes they share.
var (
	errTicket    = ostiary.Fail(400, "invalid_ticket", "This link or code is wrong, was used before, or has expired.")
	errElsewhere = ostiary.Fail(400, "invalid_ticket", "This link works only where it was asked for. Type the code from the mail there, or ask for a new link here.")
	errMalformed = ostiary.Fail(400, "invalid_request", "Send either the token of a link, or a ticket and its code.")
	errGuesses   = ostiary.Fail(429, "rate_limited", "Too many codes were tried for this account today. Use the link in the mail.")
	errTaken     = ostiary.Fail(409, "email_taken", "There is an account with this address already.")
	errClosed    = ostiary.Fail(403, "signup_closed", "New accounts cannot be created here.")
)

func active(u ostiary.User) bool { return u.Status == string(store.Active) }

// found turns what is missing into false.
func found(err error) (bool, error) {
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
