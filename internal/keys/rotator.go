package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// RotatorConfig says how signing keys are made. Store, Master and Ring are required.
type RotatorConfig struct {
	Store  store.Store
	Master Master
	Ring   *token.Ring
	Algs   []token.Alg // the default first; empty: ES256. Keys are made for these only
	// Every is how long a key signs. Default 24 h.
	Every time.Duration
	// Ahead is how long a key is published before it signs: the time for which verifiers may cache the key set plus the
	// time between two Ticks of the slowest node. Default 15 min, for a cache lifetime of 10 min and a Tick a minute.
	Ahead time.Duration
	// TokenTTL is the longest lifetime of a token that was ever configured. Default token.MaxLifetime.
	TokenTTL time.Duration
	// RecordKind is the registry's kind, one for each ring. Default "signing-key".
	RecordKind string
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Rotator keeps a ring filled: the only code that makes signing keys. Any number of nodes may run one on the same store.
// It is safe for concurrent use.
type Rotator struct {
	cfg    RotatorConfig
	mu     sync.Mutex
	parsed map[string]token.Key // by sealed record, for parsing an RSA key takes a millisecond
	loaded []token.Key
}

// NewRotator fills in the defaults. It reads nothing; Load does.
func NewRotator(cfg RotatorConfig) *Rotator {
	if len(cfg.Algs) == 0 {
		cfg.Algs = []token.Alg{token.ES256}
	}
	if cfg.Every == 0 {
		cfg.Every = 24 * time.Hour
	}
	if cfg.Ahead == 0 {
		cfg.Ahead = 15 * time.Minute
	}
	if cfg.TokenTTL == 0 {
		cfg.TokenTTL = token.MaxLifetime
	}
	if cfg.RecordKind == "" {
		cfg.RecordKind = "signing-key"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Rotator{cfg: cfg}
}

func (r *Rotator) check() error {
	c := r.cfg
	if c.Store == nil || c.Ring == nil || c.Master.IsZero() {
		return errors.New("rotate keys: store, ring and master key are required")
	}
	if c.Every < 0 || c.Ahead < 0 || c.TokenTTL < 0 {
		return errors.New("rotate keys: a duration is negative")
	}
	for i, alg := range c.Algs {
		if !alg.Valid() || slices.Contains(c.Algs[:i], alg) {
			return fmt.Errorf("rotate keys: %w, or one named twice: %q", token.ErrAlgorithm, string(alg))
		}
	}
	return nil
}

func (r *Rotator) configured(alg token.Alg) bool { return slices.Contains(r.cfg.Algs, alg) }

// now has the precision that the registry keeps.
func (r *Rotator) now() time.Time { return r.cfg.Now().UTC().Truncate(time.Microsecond) }

// Load fills the ring from the registry. The first keys are made if there are none; those sign at once, because nobody
// can have cached an older key set. A key that cannot be opened (ErrSealed: another master key) is an error: making new
// ones beside it would hide the mistake.
func (r *Rotator) Load(ctx context.Context) error {
	_, err := r.Tick(ctx)
	return err
}

// Tick does what is due: it publishes the next key of each algorithm Ahead of the end of the newest one's period, drops
// keys that no living token needs, and takes over what other nodes did. To be called at least once a minute, and when the
// log names a revoked key. changed: the ring has other keys than before. After an error the ring is as it was.
func (r *Rotator) Tick(ctx context.Context) (changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	links, err := r.settle(ctx)
	if err != nil {
		return false, err
	}
	return r.install(links)
}

// Rotate makes a new key of each algorithm now, published at once and signing after Ahead, and returns that of the
// default algorithm. It fails when there are 32 keys of one already.
func (r *Rotator) Rotate(ctx context.Context) (token.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	links, err := r.settle(ctx)
	if err != nil {
		return token.Key{}, err
	}
	made := make([]string, len(r.cfg.Algs))
	for i, alg := range r.cfg.Algs {
		if made[i], err = r.append(ctx, alg, chains(links)[alg]); err != nil {
			return token.Key{}, fmt.Errorf("rotate %s key: %w", alg, err)
		}
	}
	if links, err = r.settle(ctx); err != nil {
		return token.Key{}, err
	}
	if _, err := r.install(links); err != nil {
		return token.Key{}, err
	}
	return r.named(made[0])
}

// named finds a key that was loaded.
func (r *Rotator) named(kid string) (token.Key, error) {
	for _, k := range r.loaded {
		if k.ID == kid {
			return k, nil
		}
	}
	return token.Key{}, fmt.Errorf("find signing key: %w", store.ErrNotFound)
}

// List returns the keys in the registry, by algorithm in the order in which they sign. It makes none.
func (r *Rotator) List(ctx context.Context) ([]token.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check(); err != nil {
		return nil, err
	}
	links, err := r.cfg.read(ctx, r.cfg.Store.Registry())
	if err != nil {
		return nil, err
	}
	keys, _, err := r.keys(links)
	return keys, err
}
