package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/internal/phc"
	"github.com/ostiary/ostiary/method/password"
)

// ErrNoData says that there is no database yet.
var ErrNoData = errors.New("there is no data yet")

// Server is an engine with everything wired, and owner of what it runs on. Make it with [New].
type Server struct {
	*ostiary.Auth

	cfg       Config
	log       *slog.Logger
	store     database
	hangUp    func() error // to the store of sessions, where that is another one
	passwords *password.Method
	keys      *apikey.Part

	setup     setup
	stop      context.CancelFunc
	work      sync.WaitGroup
	closeOnce sync.Once
	closed    error
}

// New makes everything that is missing (directory, master key, database, schema), starts the engine, and issues a set-up
// link while there is no administrator. ctx bounds the start only. A wrong setting is a *[Mistake].
func New(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.complete()
	if err := cfg.prepare(ctx); err != nil {
		return nil, err
	}
	s, err := start(ctx, cfg, false)
	if err != nil {
		return nil, err
	}
	s.warn()
	if err := s.openSetup(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// warn writes to the log what the settings weaken.
func (s *Server) warn() {
	for _, f := range s.cfg.review() {
		if f.Level == Risky {
			s.log.Warn("a setting is risky", "setting", f.Name, "problem", f.Problem, "fix", f.Fix)
		}
	}
}

// Open is New for programs that administer the data of a server, whether or not it runs: nothing is created, and upkeep
// and mail are left to the server. [ErrNoData]: there is none to administer.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.complete()
	if found, err := cfg.exists(ctx); err != nil {
		return nil, err
	} else if !found {
		return nil, fmt.Errorf("%w: %s does not exist; 'ostiary serve' makes it, or name another place with --data", ErrNoData, cfg.DB.name())
	}
	return start(ctx, cfg, true)
}

func start(ctx context.Context, cfg Config, passive bool) (*Server, error) {
	if err := cfg.private(); err != nil {
		return nil, err
	}
	key, err := cfg.key()
	if err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = cfg.Logger(os.Stderr)
	}
	s := &Server{cfg: cfg, log: cfg.Log, stop: func() {}}
	if s.store, err = cfg.openDatabase(ctx); err != nil {
		return nil, err
	}
	volatile, hangUp, err := cfg.openVolatile(ctx, s.store)
	if err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	s.hangUp = hangUp
	if s.keys, err = apikey.New(apikey.Config{}); err != nil {
		return nil, errors.Join(err, s.closeStores())
	}
	s.passwords, s.Auth, err = wire(ctx, cfg, wiring{store: s.store, volatile: volatile, key: key, keys: s.keys, passive: passive, ready: s.ready})
	if err != nil {
		return nil, errors.Join(explain(err), s.closeStores())
	}
	return s, nil
}

func (s *Server) closeStores() error { return errors.Join(s.hangUp(), s.store.Close()) }

// ready answers probes. It is called only when there is an engine that serves them.
func (s *Server) ready(ctx context.Context) error { return s.Ready(ctx) }

// explain says what an operator can do about an engine that does not start.
func explain(err error) error {
	if errors.Is(err, ostiary.ErrWrongKey) {
		return errors.New("the master key is not the one that this database was made with: bring that one back")
	}
	return err
}

// Close ends the background work and closes the database, in this order. Let requests finish before.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.stop()
		s.work.Wait()
		s.closed = errors.Join(s.Auth.Close(), s.closeStores())
	})
	return s.closed
}

// Passwords is the password method, for programs that set passwords.
func (s *Server) Passwords() *password.Method { return s.passwords }

// APIKeys is the part of API keys, for programs that make and end some.
func (s *Server) APIKeys() *apikey.Part { return s.keys }

// URL is the public base.
func (s *Server) URL() string { return s.cfg.URL }

// Logger makes the log that the settings ask for.
func (c Config) Logger(w io.Writer) *slog.Logger {
	c = c.complete()
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // Check finds what is no level; info stands in for it
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// HashMemory is how much memory the hashes of passwords may take together, in bytes.
func (c Config) HashMemory() int64 {
	p, err := phc.ParseParams(c.complete().PasswordHash)
	if err != nil {
		return 0 // Check tells
	}
	return p.Memory() * int64(password.Permits(p.Memory()))
}
