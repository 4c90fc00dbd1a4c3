package ostiary

import (
	"context"
	"errors"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Identity is what an outside provider says about somebody.
type Identity struct {
	Provider      string // "google"; names the credential's method as "identity:google"
	Subject       string // the provider's immutable id, never an address
	Email         string
	EmailVerified bool // the provider says so
	// Trusted says that the operator trusts this provider for the domain of Email. Without it an address proves nothing.
	Trusted bool
	Name    string
	Picture string
	Locale  string
	Link    string // the secret of a link that was begun with StartLink; "" signs in
}

const (
	linkKind = "link"
	linkTTL  = 10 * time.Minute
)

// link is bound to the session in which a person asked for it (R27).
type link struct {
	Session  string `json:"s"`
	Provider string `json:"p"`
}

// StartLink begins to connect a provider to the signed-in person. The secret goes into the state of the round trip.
func (k *Kit) StartLink(ctx context.Context, c *Call, provider string) (string, error) {
	p := c.Principal
	if !p.FirstParty() || p.User == nil || p.SessionID == "" {
		return "", errNotSignedIn
	}
	return k.a.engineDesk(k.a.store).Issue(ctx, linkKind, p.User.ID, linkTTL, link{p.SessionID, provider})
}

// Resolve is the only code that turns an outside identity into a person (R1), and returns his ID: by provider and subject
// first. A matching address alone links nothing, unless both sides have verified it and the operator trusts the provider
// for it; otherwise the answer is link_required, and the person proves the existing account first.
func (k *Kit) Resolve(ctx context.Context, c *Call, id Identity) (userID string, err error) {
	if id.Provider == "" || id.Subject == "" || len(id.Subject) > 255 || len(id.Provider) > 64 {
		return "", errInvalidRequest.Because(errors.New("an identity needs a provider and a subject"))
	}
	err = k.a.do(ctx, c, func(t *Tx) error {
		userID, err = t.resolve(ctx, id)
		return err
	})
	return userID, err
}

func identityMethod(provider string) string { return "identity:" + provider }

func (t *Tx) resolve(ctx context.Context, id Identity) (string, error) {
	known, err := t.tx.Credentials().ByLookup(ctx, identityMethod(id.Provider), id.Subject)
	if err != nil && !isNotFound(err) {
		return "", fault("find identity", err)
	}
	found := err == nil
	if id.Link != "" {
		return t.resolveLink(ctx, id, known, found)
	}
	if found {
		return known.UserID, nil
	}
	proven := id.EmailVerified && id.Trusted && id.Email != ""
	if id.Email == "" {
		return t.newcomer(ctx, id, proven)
	}
	normal, err := normalEmail(id.Email)
	if err != nil {
		return "", err
	}
	u, err := t.tx.Users().ByEmail(ctx, normal)
	if isNotFound(err) {
		return t.newcomer(ctx, id, proven)
	}
	if err != nil {
		return "", fault("find user", err)
	}
	return t.matched(ctx, id, u, proven)
}

// matched decides about an account with the same address.
func (t *Tx) matched(ctx context.Context, id Identity, u store.User, proven bool) (string, error) {
	if !proven {
		return "", errLinkRequired
	}
	if !u.EmailVerified {
		// Whoever made the account never proved the address; the provider just did (R26).
		if err := t.FirstProof(ctx, u.ID); err != nil {
			return "", err
		}
	}
	return u.ID, t.attach(ctx, u.ID, id)
}

// resolveLink connects an identity to the person who asked for it in this very session, and to nobody else (R27).
func (t *Tx) resolveLink(ctx context.Context, id Identity, known store.Credential, found bool) (string, error) {
	var want link
	userID, err := t.a.engineDesk(t.tx).Redeem(ctx, linkKind, id.Link, &want)
	if err != nil {
		return "", err
	}
	p := t.c.Principal
	if !p.FirstParty() || p.User == nil || p.User.ID != userID || p.SessionID != want.Session || want.Provider != id.Provider {
		return "", errInvalidTicket.Because(errors.New("the link was begun in another session"))
	}
	if found && known.UserID != userID {
		return "", errConflict.Because(errors.New("the identity belongs to another account"))
	}
	if found {
		return userID, nil
	}
	return userID, t.attach(ctx, userID, id)
}

// newcomer creates an account, if the sign-up policy allows it.
func (t *Tx) newcomer(ctx context.Context, id Identity, proven bool) (string, error) {
	if t.a.cfg.SignUp != SignUpOpen {
		return "", errSignUpClosed
	}
	u, err := t.CreateUser(ctx, NewUser{Email: id.Email, EmailVerified: proven, Name: id.Name, Picture: id.Picture, Locale: id.Locale})
	if err != nil {
		return "", err
	}
	return u.ID, t.attach(ctx, u.ID, id)
}

func (t *Tx) attach(ctx context.Context, userID string, id Identity) error {
	v := &Vault{method: identityMethod(id.Provider), rows: t.tx.Credentials(), a: t.a, log: t}
	if _, err := v.Create(ctx, Credential{UserID: userID, Lookup: id.Subject}); err != nil {
		return err
	}
	return t.Emit(ctx, eventIdentityLinked, userID, map[string]string{"provider": id.Provider})
}

// engineDesk keeps the tickets of the engine itself: pending factors, links.
func (a *Auth) engineDesk(tx store.Tx) *Desk {
	return &Desk{prefix: "engine", rows: tx.Tickets(), a: a}
}
