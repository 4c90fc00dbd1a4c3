package ostiary

import (
	"context"
	"fmt"

	"github.com/ostiary/ostiary/store"
)

// What parts need that let machines in: with credentials of their own, in the name of a person.

// Worker is a Part with work of its own beside requests. Work runs until ctx ends; [Auth.Close] waits for it, so it may
// finish what it has begun. It does not run where upkeep is left to others (Config.Passive).
type Worker interface {
	Part
	Work(ctx context.Context)
}

// Suspender is a Part with credentials that somebody who was in the account without right may have made for himself.
type Suspender interface {
	Part
	// Suspend stops those until the person confirms them.
	Suspend(ctx context.Context, t *Tx, userID string) error
}

// Suspect says that somebody else may have been in a person's account: what could be a back door is suspended until the
// person confirms it (R26).
func (t *Tx) Suspect(ctx context.Context, userID string) error {
	for _, p := range t.a.cfg.Parts {
		if s, ok := p.(Suspender); ok {
			if err := s.Suspend(ctx, t, userID); err != nil {
				return fmt.Errorf("suspend what %s keeps: %w", p.Name(), err)
			}
		}
	}
	return nil
}

// Act makes the principal of a machine that acts for a person by a credential of its own, for an [Authenticator]. It is
// allowed what both the person's roles and the scopes (patterns of permissions) allow; it is never fresh, and no
// first-party caller (R28). invalid_token when the person is gone or may not sign in.
//
// The principal is that of a moment. Read the credential after it, and use both as long as [Engine.Unchanged] says so:
// every change of a credential is a change of its person.
func (e *Engine) Act(ctx context.Context, userID string, scopes []string) (*Principal, error) {
	if err := e.a.follower.Current(ctx); err != nil {
		return nil, fault("confirm the revocation log", err)
	}
	p, err := e.a.person(ctx, e.a.personKey(userID), userID)
	if isNotFound(err) {
		return nil, errInvalidToken.Because(err)
	}
	if err != nil {
		return nil, err
	}
	if refused := e.a.mayAct(p); refused != nil {
		return nil, errInvalidToken.Because(refused)
	}
	return &Principal{User: &p.user, Scopes: scopes, via: viaOther, person: p}, nil
}

// mayAct is alive for machines. An account without an address cannot confirm one: it is a machine's own.
func (a *Auth) mayAct(p *person) *Error {
	if p.record.EmailNormal == "" && p.record.Status == store.Active {
		return nil
	}
	return a.alive(p)
}

// Unchanged says whether nothing happened to a person, or to any credential of his, since [Engine.Act] made the principal.
// It reads nothing while the revocation log is current (R23).
func (e *Engine) Unchanged(ctx context.Context, p *Principal) (bool, error) {
	if err := e.a.follower.Current(ctx); err != nil {
		return false, fault("confirm the revocation log", err)
	}
	now, ok := e.a.persons.Get(p.person.key)
	return ok && now == p.person, nil
}

// Exclusive makes transactions about one person wait for each other: what this one has read of him and his credentials
// still holds when it is committed, or it runs again.
func (t *Tx) Exclusive(ctx context.Context, userID string) error {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return fault("read user", err)
	}
	return t.update(ctx, u)
}

// Reach says whether the caller may act on the account of a person, and returns the person. forbidden: he has a permission
// that the caller does not have; store.ErrNotFound.
func (t *AdminTx) Reach(ctx context.Context, userID string) (User, error) {
	_, u, err := t.reach(ctx, userID)
	return publicUser(u, false), err
}

// Methods returns the names of the methods that a person has credentials of, as they stand in the transaction.
func (t *Tx) Methods(ctx context.Context, userID string) ([]string, error) {
	creds, err := t.tx.Credentials().Of(ctx, userID)
	if err != nil {
		return nil, fault("read credentials", err)
	}
	return newPerson(store.User{}, creds).methods, nil
}
