package apikey

import (
	"errors"
	"sync"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/follow"
	"github.com/ostiary/ostiary/store"
)

const (
	fresh      = ostiary.Fresh(10 * time.Minute)
	maxKeys    = 100 // that one owner can have
	maxScopes  = 50
	cachedKeys = 10_000
	noteEvery  = time.Minute         // how often the use of one key is written at most
	youngKey   = 30 * 24 * time.Hour // keys younger than this are suspended when somebody else may have made them (R26)
	keptDead   = 30 * 24 * time.Hour // how long an expired key is still listed
	maxOverlap = 30 * 24 * time.Hour
)

// Config says how much a key may be used. The zero value is safe.
type Config struct {
	// Rate limits one key on one node. Zero: 600 requests at once and 100 a second.
	Rate store.Rate
}

// Part is the surface of API keys, and knows them in requests. Make it with New.
type Part struct {
	engine  *ostiary.Engine
	rate    store.Rate
	limited bool
	cache   *follow.Cache[string, *liveKey] // by the text of the key
	meters  *follow.Cache[string, *meter]   // by the ID of the key
	uses    uses
}

// New makes the part. An error says what is wrong with the configuration.
func New(cfg Config) (*Part, error) {
	if cfg.Rate == (store.Rate{}) {
		cfg.Rate = store.Rate{Burst: 600, Every: 10 * time.Millisecond}
	}
	if cfg.Rate.Burst <= 0 || cfg.Rate.Every <= 0 {
		return nil, errors.New("apikey: Rate must allow something")
	}
	return &Part{
		rate:  cfg.Rate,
		cache: follow.NewCache[string, *liveKey](cachedKeys), meters: follow.NewCache[string, *meter](cachedKeys),
		uses: uses{wake: make(chan struct{}, 1), pending: map[string]use{}},
	}, nil
}

// Name is "apikey".
func (p *Part) Name() string { return "apikey" }

// Routes is called by the engine.
func (p *Part) Routes(e *ostiary.Engine) ([]ostiary.Route, error) {
	p.engine, p.limited = e, !e.Settings().InsecureNoRateLimits
	return append(p.ownRoutes(), p.adminRoutes()...), nil
}

// The refusals of this part, with codes of the engine.
var (
	errInvalid   = ostiary.Fail(401, "invalid_token", "The API key is not valid.")
	errExpired   = ostiary.Fail(401, "token_expired", "The API key has expired.")
	errSuspended = ostiary.Fail(401, "token_revoked", "The API key is suspended until its owner confirms it.")
	errRate      = ostiary.Fail(429, "rate_limited", "This API key is used too often.")
	errTooMany   = ostiary.Fail(409, "conflict", "There are as many keys as one owner can have: delete one first.")
	errRotate    = ostiary.Fail(409, "conflict", "A key that has expired or is suspended cannot be rotated.")
	errNone      = ostiary.Fail(404, "not_found", "There is no such key.")
	errMalformed = ostiary.Fail(400, "invalid_request", "The request is not valid.")
	errService   = ostiary.Fail(403, "forbidden", "Administrators make keys only for service accounts: a person makes his own.")
)

// uses are the keys that were used and whose use is not written yet, bounded.
type uses struct {
	mu      sync.Mutex
	pending map[string]use // by the ID of the key
	wake    chan struct{}
}
