// Package ostiarytest gives tests of your own program a whole sign-in server: in memory, on a port of its own, with a clock
// that moves when told to and a mailbox that can be read.
//
// It owns the set-up and a few shorthands. It is for tests only: passwords are hashed with the cheapest parameters that
// there are, nothing is limited, and nothing is kept. Servers share nothing, so tests that use them may run in parallel.
package ostiarytest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/mail"
	"github.com/ostiary/ostiary/method/magiclink"
	"github.com/ostiary/ostiary/method/passkey"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/method/totp"
	"github.com/ostiary/ostiary/store/memory"
)

// cheapHash is the least work that the password method accepts.
const cheapHash = "argon2id:m=7168,t=5,p=1"

// Server is an engine with passwords, passkeys, links by mail, codes of an app and the person's own routes, mounted at /auth, and room for your handlers beside it.
type Server struct {
	Auth   *ostiary.Auth
	Origin string // "http://localhost:41234"
	URL    string // Config.URL: Origin and "/auth", unless it was changed
	Store  *memory.Store
	Clock  *Clock
	Mail   *Mailbox

	mux       *http.ServeMux
	transport *http.Transport
	hand      *hand
	mails     bool // mail goes to Mail
}

// New starts a server that ends with the test. change may adapt the configuration, for example add roles, methods and
// parts; nil changes nothing. Whatever is wrong fails the test.
func New(t testing.TB, change func(cfg *ostiary.Config)) *Server {
	t.Helper()
	s := &Server{Store: memory.New(), Clock: newClock(), Mail: newMailbox(), mux: http.NewServeMux(), hand: &hand{}}
	web := httptest.NewServer(s.mux)
	address := web.Listener.Addr().String()
	s.transport = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	s.Origin = "http://localhost:" + port
	cfg := s.config(t)
	mailer := cfg.Mailer
	if change != nil {
		change(&cfg)
	}
	s.mails = cfg.Mailer == mailer
	cfg.Parts = append(cfg.Parts, s.hand)
	if s.Auth, err = ostiary.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.transport.CloseIdleConnections()
		web.Close()
		if err := s.Auth.Close(); err != nil {
			t.Error(err)
		}
	})
	s.mount(t)
	return s
}

// config is what change starts from.
func (s *Server) config(t testing.TB) ostiary.Config {
	t.Helper()
	key, err := ostiary.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	templates, err := mail.NewTemplates(nil)
	if err != nil {
		t.Fatal(err)
	}
	passwords, err := password.New(password.Config{Hash: cheapHash})
	if err != nil {
		t.Fatal(err)
	}
	passkeys, err := passkey.New(passkey.Config{})
	if err != nil {
		t.Fatal(err)
	}
	links, err := magiclink.New(magiclink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	codes := totp.New(totp.Config{})
	return ostiary.Config{
		URL: s.Origin + "/auth", Store: s.Store, Key: key, Mailer: mail.New(s.Mail, templates), Now: s.Clock.Now,
		Methods: []ostiary.Method{passwords, passkeys, links, codes, codes.BackupCodes()}, Parts: []ostiary.Part{account.New()}, InsecureNoRateLimits: true,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

func (s *Server) mount(t testing.TB) {
	t.Helper()
	s.URL = s.Auth.Issuer()
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.mux.Handle(at.Path+"/", s.Auth)
	if at.Path != "" {
		s.mux.Handle("/.well-known/", s.Auth)
	}
}

// Handle serves one of your handlers beside the engine; see [http.ServeMux.Handle].
func (s *Server) Handle(pattern string, handler http.Handler) { s.mux.Handle(pattern, handler) }

// Browser is a new client without any cookie.
func (s *Server) Browser() *http.Client {
	jar, _ := cookiejar.New(nil) // fails never
	return &http.Client{Transport: s.transport, Jar: jar}
}

// hand is a part that serves nothing: it reaches what administrators reach.
type hand struct{ engine *ostiary.Engine }

func (h *hand) Name() string { return "ostiarytest" }

func (h *hand) Routes(e *ostiary.Engine) ([]ostiary.Route, error) {
	h.engine = e
	return nil, nil
}

// SetRoles gives the person with an address exactly these roles, which must exist.
func (s *Server) SetRoles(t testing.TB, email string, roles ...string) {
	t.Helper()
	u, err := s.hand.engine.UserByEmail(t.Context(), email)
	if err == nil {
		err = s.hand.engine.Administer(t.Context(), nil, func(tx *ostiary.AdminTx) error { return tx.SetRoles(t.Context(), u.ID, roles) })
	}
	if err != nil {
		t.Fatal(fmt.Errorf("set roles of %s: %w", email, err))
	}
}
