package passkey

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/ostiary/ostiary"
)

// The purposes of challenges: what one was made for, it cannot be used for anything else.
const (
	forRegister = "register"
	forSignUp   = "signup"
	forLogin    = "login" // and to prove again that it is you
	forFactor   = "factor"
)

// begun is what a ticket remembers of a ceremony. The ticket's secret is the challenge itself, so it is used up exactly
// once and expires by the engine's clock.
type begun struct {
	Handle []byte `json:"h,omitempty"` // of whom a passkey is made for
	Email  string `json:"e,omitempty"` // of a sign-up
	Name   string `json:"n,omitempty"`
}

// Begun is the answer that begins a ceremony: what navigator.credentials.create() or get() takes, as
// parseCreationOptionsFromJSON() and parseRequestOptionsFromJSON() read it.
type Begun struct {
	Ticket    string          `json:"ticket"`
	PublicKey json.RawMessage `json:"publicKey"`
}

var b64 = base64.RawURLEncoding

// challenge makes a challenge for one purpose, bound to a person if there is one.
func (m *Method) challenge(ctx context.Context, purpose, userID string, b begun) (text string, raw []byte, err error) {
	if text, err = m.kit.Tickets.Issue(ctx, purpose, userID, m.cfg.Timeout, b); err != nil {
		return "", nil, err
	}
	raw, err = b64.DecodeString(text)
	return text, raw, err
}

// askCreate begins the making of a passkey.
func (m *Method) askCreate(ctx context.Context, purpose, userID string, b begun, who holder) (Begun, error) {
	text, raw, err := m.challenge(ctx, purpose, userID, b)
	if err != nil {
		return Begun{}, err
	}
	creation, _, err := m.party.web.BeginRegistration(who,
		webauthn.WithCredentialParameters(m.party.algorithms()),
		webauthn.WithExclusions(webauthn.Credentials(who.credentials).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error { o.Challenge = raw; return nil },
	)
	if err != nil {
		return Begun{}, fmt.Errorf("begin registration: %w", err)
	}
	options, err := json.Marshal(creation.Response)
	return Begun{text, options}, err
}

// askGet begins the use of a passkey: one of these, or with none whichever the person picks.
func (m *Method) askGet(ctx context.Context, purpose, userID string, allowed []webauthn.Credential) (Begun, error) {
	text, raw, err := m.challenge(ctx, purpose, userID, begun{})
	if err != nil {
		return Begun{}, err
	}
	assertion, _, err := m.party.web.BeginDiscoverableLogin(
		webauthn.WithChallenge(raw), webauthn.WithAllowedCredentials(webauthn.Credentials(allowed).CredentialDescriptors()),
	)
	if err != nil {
		return Begun{}, fmt.Errorf("begin assertion: %w", err)
	}
	options, err := json.Marshal(assertion.Response)
	return Begun{text, options}, err
}

// beginLogin asks for any passkey of this host, so that nobody needs to type an address, and no list of passkeys tells who
// has an account (WebAuthn §14.6.2).
func (m *Method) beginLogin(ctx context.Context, _ *ostiary.Call, _ *ostiary.None) (Begun, error) {
	if m.party == nil {
		return Begun{}, errUnavailable
	}
	return m.askGet(ctx, forLogin, "", nil)
}
