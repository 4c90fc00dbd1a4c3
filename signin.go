package ostiary

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Proof is what a method found out: who somebody is, and how he showed it. It is all that a method says.
type Proof struct {
	UserID string
	AMR    []string // RFC 8176: "pwd", "otp", "hwk" …
	// UserVerified says that one ceremony showed two factors of different categories (a passkey with user verification).
	UserVerified bool
	// Epoch is User.Epoch as it was before what was shown was compared, for proofs that take their time: if it has moved
	// since, a password that was changed meanwhile lets nobody in. 0: not looked at.
	Epoch int64
	// Answer is written with 202 when UserID is empty: the call was accepted, and nobody was signed in.
	Answer any

	method string // that proved, filled in by the engine
	second bool   // it is the second proof, and the first one was good
}

// Outcome is how a sign-in ended: signed in, or a second factor is due.
type Outcome struct {
	SignedInAnswer
	Pending *Pending // not nil: nobody is signed in yet
}

// SignedInAnswer is the body of an answer that signed somebody in.
type SignedInAnswer struct {
	User         User   `json:"user"`
	SessionID    string `json:"session_id"`
	AccessToken  string `json:"access_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	TokenType    string `json:"token_type,omitempty"`
	ExpiresIn    int    `json:"expires_in,omitempty"` // seconds
}

// Pending is the answer when a second factor is due. Nothing else exists yet.
type Pending struct {
	MFARequired bool     `json:"mfa_required"`
	MFAToken    string   `json:"mfa_token"`
	Methods     []string `json:"methods"`
	TrustDevice int      `json:"trust_device,omitempty"` // seconds for which this browser can be trusted; 0: never
}

// signIn is the only code that creates a session (R1). Everything that signs somebody in passes here.
func (a *Auth) signIn(ctx context.Context, c *Call, proof Proof) (*Outcome, error) {
	p, err := a.readPerson(ctx, proof.UserID)
	if isNotFound(err) {
		return nil, errCredentials.Because(err)
	}
	if err != nil {
		return nil, err
	}
	if proof.Epoch != 0 && proof.Epoch != p.record.Epoch {
		return nil, errCredentials.Because(errors.New("the account changed while the proof was checked"))
	}
	if refused := a.alive(p); refused != nil {
		return nil, refused
	}
	if len(p.factors) > 0 && !proof.UserVerified && !proof.second {
		trusted, err := a.trusts(ctx, c, p)
		if err != nil {
			return nil, err
		}
		if !trusted {
			return a.demandFactor(ctx, c, p, proof)
		}
		proof.AMR = union(proof.AMR, []string{amrTrusted})
	}
	proof.AMR = aboutFactors(proof)
	return a.establish(ctx, c, p, proof)
}

// readPerson reads past the cache: a sign-in decides on what is in the store.
func (a *Auth) readPerson(ctx context.Context, userID string) (*person, error) {
	u, err := a.store.Users().Get(ctx, userID)
	if err != nil {
		return nil, fault("read user", err)
	}
	creds, err := a.store.Credentials().Of(ctx, userID)
	if err != nil {
		return nil, fault("read credentials", err)
	}
	p := newPerson(u, creds)
	p.key = a.personKey(userID)
	return p, nil
}

// establish writes what is durable, ends the browser's old session of the same person, and makes a new session: never one
// whose id or secret the browser brought.
func (a *Auth) establish(ctx context.Context, c *Call, p *person, proof Proof) (*Outcome, error) {
	now := a.now()
	secretHash, secret := newSessionSecret()
	s := store.Session{
		ID: newID(now), UserID: p.record.ID, Hash: secretHash, Epoch: p.record.Epoch, AMR: proof.AMR, AuthAt: now,
		CreatedAt: now, LastSeenAt: now, IdleAt: now.Add(a.cfg.Sessions.Idle), ExpiresAt: now.Add(a.cfg.Sessions.TTL),
		Source: c.Source, UserAgent: c.UserAgent,
	}
	old, err := a.presentedSession(ctx, c)
	if err != nil {
		return nil, err
	}
	surplus, err := a.surplus(ctx, s.UserID)
	if err != nil {
		return nil, err
	}
	var g *store.Grant
	if c.wants.Delivery != store.DeliverSession {
		g = a.newGrant(s, c.wants, now)
	}
	err = a.do(ctx, c, func(t *Tx) error {
		if err := t.stillAlive(ctx, p); err != nil {
			return err
		}
		if g != nil {
			if err := t.tx.Grants().Create(ctx, *g); err != nil {
				return err
			}
		}
		if old != nil && old.UserID == s.UserID {
			if err := t.endSession(ctx, *old, "replaced"); err != nil {
				return err
			}
		}
		for _, s := range surplus {
			if err := t.endSession(ctx, s, "too many"); err != nil {
				return err
			}
		}
		e := a.event(c, eventSessionCreated, s.UserID, map[string]string{"amr": strings.Join(s.AMR, " "), "delivery": string(c.wants.Delivery)})
		e.SessionID, e.Actor = s.ID, s.UserID
		return t.record(ctx, e)
	})
	if err != nil {
		return nil, err
	}
	if err := a.volatile.Sessions().Put(ctx, s); err != nil {
		return nil, fault("keep session", err)
	}
	return a.deliver(ctx, c, p, s, secret, g)
}

// maxSessions is how many sessions a person can have. The oldest ends when one more begins: so signing somebody out
// everywhere stays a small transaction, whatever he did before.
const maxSessions = 100

// surplus are the sessions that end because another one begins, the oldest first and a few at a time.
func (a *Auth) surplus(ctx context.Context, userID string) ([]store.Session, error) {
	list, err := a.volatile.Sessions().List(ctx, store.SessionQuery{UserID: userID, Limit: maxSessions + 4})
	if err != nil {
		return nil, fault("list sessions", err)
	}
	return list[:max(0, len(list)-maxSessions+1)], nil
}

// stillAlive reads the person again inside the transaction, so that a sign-in cannot overtake a disabling.
func (t *Tx) stillAlive(ctx context.Context, p *person) error {
	u, err := t.tx.Users().Get(ctx, p.record.ID)
	if err != nil {
		return fault("read user", err)
	}
	if u.Epoch != p.record.Epoch || u.Status != store.Active {
		return errConflict
	}
	return nil
}

func newSessionSecret() (hash [32]byte, text string) {
	_, text = newSecret()
	hash, _ = cookieHash(text)
	return hash, text
}

// asked is what a first-party sign-in asked its tokens to hold; it is kept in the grant's scope.
type asked struct {
	Audience []string `json:"a,omitempty"`
	Claims   []string `json:"c,omitempty"`
}

func (a *Auth) newGrant(s store.Session, wants Deliver, now time.Time) *store.Grant {
	g := &store.Grant{
		ID: newID(now), Handle: random16(), UserID: s.UserID, SessionID: s.ID, ClientID: store.FirstParty,
		Delivery: wants.Delivery, Epoch: s.Epoch, Generation: 1, RotatedAt: now,
		ExpiresAt: earlier(now.Add(a.cfg.Tokens.Refresh), s.ExpiresAt), EndsAt: s.ExpiresAt, CreatedAt: now,
	}
	if len(wants.Audience)+len(wants.Claims) > 0 {
		text, _ := json.Marshal(asked{wants.Audience, wants.Claims}) // strings only: cannot fail
		g.Scope = string(text)
	}
	return g
}

// deliver hands the credentials over as the caller asked.
func (a *Auth) deliver(ctx context.Context, c *Call, p *person, s store.Session, secret string, g *store.Grant) (*Outcome, error) {
	out := &Outcome{SignedInAnswer: SignedInAnswer{User: p.user, SessionID: s.ID}}
	c.clearStale()
	defer c.rememberDevice(p) // after the others
	if g == nil {
		c.setCookie(sessionCookie, secret, s.ExpiresAt)
		return out, nil
	}
	set, err := a.tokenPair(p, s, *g)
	if err != nil {
		return nil, err
	}
	c.hand(set, &out.SignedInAnswer)
	return out, nil
}

// clearStale takes the credentials of an earlier sign-in from the browser that has any.
func (c *Call) clearStale() {
	for _, name := range []string{sessionCookie, accessCookie, refreshCookie} {
		if c.request != nil && len(c.request.CookiesNamed(c.auth.cookieName(name))) > 0 {
			c.clearCookie(name)
		}
	}
}

// checkDeliver fills in the default and refuses what cannot be delivered.
func (a *Auth) checkDeliver(d *Deliver) error {
	switch d.Delivery {
	case "":
		d.Delivery = store.DeliverSession
	case store.DeliverSession, store.DeliverSplit, store.DeliverCookies, store.DeliverBody:
	default:
		return errUnknownDelivery
	}
	for _, aud := range d.Audience {
		if !slices.Contains(a.cfg.Tokens.Audiences, aud) && aud != a.issuer {
			return errInvalidRequest.At("body.audience", "is not one of the audiences that this server allows")
		}
	}
	for _, claim := range d.Claims {
		if claim != "roles" && claim != "permissions" {
			return errInvalidRequest.At("body.claims", "may hold roles and permissions")
		}
	}
	if len(d.Audience) > 10 || len(d.Claims) > 2 {
		return errInvalidRequest.At("body.audience", "asks for too much")
	}
	return nil
}

// presented is the session that the browser came with.
type presented struct{ session *store.Session }

// presentedSession finds the browser's own session by any cookie of ours, whether or not the route looked at it.
func (a *Auth) presentedSession(ctx context.Context, c *Call) (*store.Session, error) {
	if c.request == nil {
		return nil, nil
	}
	if explicit(c.request) && a.checkOrigin(c.request) != nil {
		return nil, nil // the caller named another credential, so nobody has looked at the origin of his cookies yet (R4)
	}
	if c.presented == nil {
		s, err := a.findPresented(ctx, c.request)
		if err != nil {
			return nil, err
		}
		c.presented = &presented{s}
	}
	return c.presented.session, nil
}

func (a *Auth) findPresented(ctx context.Context, r *http.Request) (*store.Session, error) {
	if v := a.cookie(r, sessionCookie); v != "" {
		hash, ok := cookieHash(v)
		if !ok {
			return nil, nil
		}
		s, err := a.volatile.Sessions().ByHash(ctx, hash)
		if isNotFound(err) {
			return nil, nil
		}
		return &s, fault("read session", err)
	}
	return a.sessionOfRefresh(ctx, a.cookie(r, refreshCookie))
}

// sessionOfRefresh is the session behind a refresh token that we minted, whether or not it is the newest.
func (a *Auth) sessionOfRefresh(ctx context.Context, raw string) (*store.Session, error) {
	parsed, ok := a.parseRefresh(raw)
	if !ok {
		return nil, nil
	}
	g, err := a.store.Grants().Get(ctx, parsed.grant)
	if isNotFound(err) || err == nil && g.SessionID == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fault("read grant", err)
	}
	s, err := a.volatile.Sessions().Get(ctx, g.SessionID)
	if isNotFound(err) {
		return nil, nil
	}
	return &s, fault("read session", err)
}
