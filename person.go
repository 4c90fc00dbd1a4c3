package ostiary

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/store"
)

// User is what may be shown of a person.
type User struct {
	ID            string    `json:"id"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	Name          string    `json:"name"`
	Picture       string    `json:"picture"`
	Locale        string    `json:"locale"`
	Roles         []string  `json:"roles"`
	Status        string    `json:"status"`
	MFA           bool      `json:"mfa"` // a second factor is enrolled
	CreatedAt     time.Time `json:"created_at"`
	Epoch         int64     `json:"-"` // moves when the person is signed out everywhere
}

// person is a snapshot of somebody, kept until the log says that it changed.
type person struct {
	user      User
	record    store.User
	methods   []string // of all credentials
	factors   []string // methods with a Factor credential
	factorIDs []string // of these credentials, in order
	key       [16]byte // under which the snapshot is cached and the log names it
}

func newPerson(u store.User, creds []store.Credential) *person {
	p := &person{record: u}
	for _, c := range creds {
		if !enginesOwn(c.Method) && !slices.Contains(p.methods, c.Method) {
			p.methods = append(p.methods, c.Method)
		}
		if c.Factor {
			p.factorIDs = append(p.factorIDs, c.ID)
		}
		if c.Factor && !slices.Contains(p.factors, c.Method) {
			p.factors = append(p.factors, c.Method)
		}
	}
	p.user = publicUser(u, len(p.factors) > 0)
	return p
}

func publicUser(u store.User, mfa bool) User {
	roles := u.Roles
	if roles == nil {
		roles = []string{}
	}
	return User{
		ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified, Name: u.Name, Picture: u.Picture, Locale: u.Locale,
		Roles: roles, Status: string(u.Status), MFA: mfa, CreatedAt: u.CreatedAt, Epoch: u.Epoch,
	}
}

// personKey is the hash under which the log says that somebody changed.
func (a *Auth) personKey(userID string) [16]byte {
	return logHash(a.follower.Incarnation(), store.KindChanged, userID)
}

// person returns the snapshot of a user, from the cache when the log allows it. store.ErrNotFound.
func (a *Auth) person(ctx context.Context, key [16]byte, userID string) (*person, error) {
	if p, ok := a.persons.Get(key); ok {
		return p, nil
	}
	version := a.persons.Version()
	u, err := a.store.Users().Get(ctx, userID)
	if err != nil {
		return nil, fault("read user", err)
	}
	creds, err := a.store.Credentials().Of(ctx, userID)
	if err != nil {
		return nil, fault("read credentials", err)
	}
	p := newPerson(u, creds)
	p.key = key
	a.persons.Put(key, p, version)
	return p, nil
}

// alive says whether a person may have a session or a token at all, and is asked again at every token (R1).
func (a *Auth) alive(p *person) *Error {
	if p.record.Status != store.Active {
		return errDisabled
	}
	if a.cfg.RequireVerifiedEmail && !p.record.EmailVerified {
		return errUnverified
	}
	return nil
}

// Can says whether the person of ctx has a permission ("posts:update") on a resource. Deny is the default.
func (a *Auth) Can(ctx context.Context, permission string, r authz.Resource) bool {
	return a.Decide(ctx, permission, r).Allowed
}

// Decide is [Auth.Can] with the reason.
func (a *Auth) Decide(ctx context.Context, permission string, r authz.Resource) authz.Decision {
	return a.decide(PrincipalFrom(ctx), permission, r)
}

func (a *Auth) decide(p *Principal, permission string, r authz.Resource) authz.Decision {
	q := authz.Request{Permission: permission, Resource: r}
	if p != nil && p.User != nil {
		q.Roles, q.UserID = p.User.Roles, p.User.ID
	}
	d := a.policy.Load().Decide(q)
	if d.Allowed && !p.FirstParty() && !scopesAllow(p, permission, r) {
		return authz.Decision{}
	}
	return d
}

// scopesAllow says whether a token of another client, or a key, was given the permission in its scopes, for everything or
// for what the person owns.
func scopesAllow(p *Principal, permission string, r authz.Resource) bool {
	owns := r.Owner != "" && r.Owner == p.User.ID
	for _, s := range p.Scopes {
		if authz.Match(s, permission) || owns && authz.Match(s, permission+":own") {
			return true
		}
	}
	return false
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
