package passkey

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/ostiary/ostiary"
)

// party is the relying party (WebAuthn §4): who the passkeys are for, and from which pages.
type party struct {
	web          *webauthn.WebAuthn
	id           string
	verification protocol.UserVerificationRequirement
}

// newParty makes the relying party of the engine's URL. It fails where browsers have no passkeys.
func newParty(k *ostiary.Kit, cfg Config) (*party, error) {
	base, err := url.Parse(k.Link(""))
	if err != nil {
		return nil, fmt.Errorf("read URL: %w", err)
	}
	if base.Scheme != "https" && base.Hostname() != "localhost" {
		return nil, errors.New("the URL is plain http")
	}
	p := &party{id: k.Host(), verification: protocol.VerificationPreferred}
	if cfg.RequireVerification {
		p.verification = protocol.VerificationRequired
	}
	timeout := webauthn.TimeoutConfig{Timeout: cfg.Timeout, TimeoutUVD: cfg.Timeout}
	p.web, err = webauthn.New(&webauthn.Config{
		RPID: p.id, RPDisplayName: k.Product(), RPOrigins: append([]string{base.Scheme + "://" + base.Host}, cfg.RelatedOrigins...),
		AttestationPreference: cfg.Attestation.conveyance(),
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: p.verification,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
		// Password managers answer extensions that nobody asked for; the specification tells us to ignore them (§7.1, §7.2).
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("relying party: %w", err)
	}
	return p, nil
}

// algorithms are the ones that are offered: EdDSA, ES256, RS256.
func (p *party) algorithms() []protocol.CredentialParameter {
	return webauthn.CredentialParametersRecommendedL3()
}

// session is what go-webauthn compares an answer with. Its expiry is the ticket's, by the engine's clock.
func (p *party) session(challenge string, handle []byte) webauthn.SessionData {
	return webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: p.id, UserID: handle, UserVerification: p.verification, CredParams: p.algorithms(),
	}
}

// holder is a person as go-webauthn sees him.
type holder struct {
	handle        []byte // opaque, random: never the address (WebAuthn §14.6.1)
	name, display string
	credentials   []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return h.handle }
func (h holder) WebAuthnName() string                       { return h.name }
func (h holder) WebAuthnDisplayName() string                { return h.display }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// called is how a person is shown in the lists of his devices.
func called(handle []byte, email, name, fallback string) holder {
	h := holder{handle: handle, name: email, display: name}
	if h.name == "" {
		h.name = fallback
	}
	if h.display == "" {
		h.display = h.name
	}
	return h
}
