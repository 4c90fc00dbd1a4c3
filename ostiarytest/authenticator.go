package ostiarytest

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// Authenticator is a device that holds passkeys, and a person who touches it. The zero value is one that keeps its keys to
// itself and checks its person.
type Authenticator struct {
	Unverified bool // it does not check who touches it
	Synced     bool // it keeps its passkeys in more places than one
	Alone      bool // nothing was synchronised yet
	Counts     bool // it counts the uses of each passkey
	Again      bool // it makes its newest passkey again instead of a new one

	passkeys []held
}

type held struct {
	virtualwebauthn.Credential
	host   string
	handle []byte
}

// Create answers navigator.credentials.create() on a page of an origin: publicKey is what a begin route answered, the
// result what the finish route takes.
func (a *Authenticator) Create(t testing.TB, origin string, publicKey json.RawMessage) json.RawMessage {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(string(publicKey))
	if err != nil {
		t.Fatal(err)
	}
	p := held{host: options.RelyingPartyID, handle: []byte(options.UserID)}
	if n := len(a.passkeys); a.Again && n > 0 {
		p.Credential = a.passkeys[n-1].Credential
	} else {
		p.Credential = newKey(t)
	}
	a.passkeys = append(a.passkeys, p)
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(party(p.host, origin), a.device(p), p.Credential, *options))
}

// Get answers navigator.credentials.get() with the newest passkey that fits.
func (a *Authenticator) Get(t testing.TB, origin string, publicKey json.RawMessage) json.RawMessage {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(publicKey))
	if err != nil {
		t.Fatal(err)
	}
	for i := len(a.passkeys) - 1; i >= 0; i-- {
		p := &a.passkeys[i]
		if p.host != options.RelyingPartyID || len(options.AllowCredentials) > 0 && !p.IsAllowedForAssertion(*options) {
			continue
		}
		if a.Counts {
			p.Counter++
		}
		return json.RawMessage(virtualwebauthn.CreateAssertionResponse(party(p.host, origin), a.device(*p), p.Credential, *options))
	}
	t.Fatalf("the authenticator has no passkey for %s", publicKey)
	return nil
}

// Clone is a copy of the device as it is now.
func (a *Authenticator) Clone() *Authenticator {
	c := *a
	c.passkeys = append([]held{}, a.passkeys...)
	return &c
}

func (a *Authenticator) device(p held) virtualwebauthn.Authenticator {
	return virtualwebauthn.Authenticator{Options: virtualwebauthn.AuthenticatorOptions{
		UserHandle: p.handle, UserNotVerified: a.Unverified, BackupEligible: a.Synced, BackupState: a.Synced && !a.Alone,
	}}
}

func party(host, origin string) virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: host, Origin: origin}
}

// newKey makes an ES256 key whose coordinates both fill their 32 bytes: the emulation would write shorter ones wrongly.
func newKey(t testing.TB) virtualwebauthn.Credential {
	t.Helper()
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		key, err := x509.ParsePKCS8PrivateKey(c.Key.Data)
		if err != nil {
			t.Fatal(err)
		}
		ec, ok := key.(*ecdsa.PrivateKey)
		if !ok {
			t.Fatalf("got a %T", key)
		}
		point, err := ec.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if point[1] != 0 && point[33] != 0 {
			return c
		}
	}
}

type begun struct {
	Ticket    string          `json:"ticket"`
	PublicKey json.RawMessage `json:"publicKey"`
}

func (s *Server) begin(t testing.TB, c *http.Client, path string, in any) (b begun) {
	t.Helper()
	s.must(t, c, path, in).JSON(t, &b)
	return b
}

// SignUpWithPasskey registers somebody who has only a passkey on this authenticator, confirms the address by the link in
// the mail, and returns a browser that is signed in.
func (s *Server) SignUpWithPasskey(t testing.TB, email string, a *Authenticator) *http.Client {
	t.Helper()
	c := s.Browser()
	b := s.begin(t, c, "/api/v1/register/passkey/begin", map[string]any{"email": email})
	r := s.must(t, c, "/api/v1/register/passkey/finish", map[string]any{"ticket": b.Ticket, "credential": a.Create(t, s.Origin, b.PublicKey)})
	if s.mails {
		s.must(t, c, "/api/v1/email/verify", map[string]any{"token": s.Mail.Next(t, email).Token()})
	}
	if r.Status == http.StatusAccepted {
		return s.SignInWithPasskey(t, a)
	}
	return c
}

// AddPasskey makes a passkey for the person who is signed in, and returns its ID.
func (s *Server) AddPasskey(t testing.TB, c *http.Client, a *Authenticator) string {
	t.Helper()
	b := s.begin(t, c, "/api/v1/passkeys/register/begin", nil)
	r := s.must(t, c, "/api/v1/passkeys/register/finish", map[string]any{"ticket": b.Ticket, "credential": a.Create(t, s.Origin, b.PublicKey)})
	var made struct{ ID string }
	r.JSON(t, &made)
	return made.ID
}

// SignInWithPasskey signs in with the newest passkey of an authenticator, in a new browser.
func (s *Server) SignInWithPasskey(t testing.TB, a *Authenticator) *http.Client {
	t.Helper()
	c := s.Browser()
	b := s.begin(t, c, "/api/v1/passkeys/login/begin", nil)
	s.must(t, c, "/api/v1/passkeys/login/finish", map[string]any{"ticket": b.Ticket, "credential": a.Get(t, s.Origin, b.PublicKey)})
	return c
}
