package ostiary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
)

const (
	pendingKind     = "pending"
	pendingTTL      = 5 * time.Minute
	pendingAttempts = 5
)

// pendingSignIn is what a ticket remembers of a sign-in whose second factor is due. The engine owns it: no form field can
// change whose sign-in it is, or weaken it.
type pendingSignIn struct {
	Epoch  int64    `json:"e"`
	AMR    []string `json:"m"`
	Wants  Deliver  `json:"d"`
	Factor []string `json:"f"`
	Method string   `json:"b"` // that gave the first proof
}

// demandFactor answers a first proof of somebody who has a second factor. Nothing but a ticket exists after it.
func (a *Auth) demandFactor(ctx context.Context, c *Call, p *person, proof Proof) (*Outcome, error) {
	usable := a.secondFactors(p, proof.method)
	if len(usable) == 0 {
		// The method of an enrolled factor is not configured: fail closed.
		return nil, errMFARequired.Because(fmt.Errorf("the account has factors %v, and none of their methods is configured", p.factors))
	}
	secret, err := a.engineDesk(a.store).Issue(ctx, pendingKind, p.record.ID, pendingTTL, pendingSignIn{
		Epoch: p.record.Epoch, AMR: proof.AMR, Wants: c.wants, Factor: usable, Method: proof.method,
	})
	if err != nil {
		return nil, err
	}
	return &Outcome{Pending: &Pending{MFARequired: true, MFAToken: secret, Methods: usable, TrustDevice: int(a.cfg.TrustDevices / time.Second)}}, nil
}

// second takes the second proof and ends in the same function as every sign-in. The ticket dies with success or with the
// fifth failure (R29).
func (a *Auth) second(ctx context.Context, c *Call, ticket, method string, response json.RawMessage) (*Outcome, error) {
	desk := a.engineDesk(a.store)
	var pending pendingSignIn
	userID, err := desk.Peek(ctx, pendingKind, ticket, &pending)
	if err != nil {
		return nil, err
	}
	v, err := a.factorOf(pending, method)
	if err != nil {
		return nil, err
	}
	n, err := desk.Attempt(ctx, pendingKind, ticket)
	if err != nil {
		return nil, err
	}
	if n > pendingAttempts {
		_, _ = desk.Redeem(ctx, pendingKind, ticket, nil)
		return nil, errInvalidTicket.Because(errors.New("too many attempts"))
	}
	proof, err := a.verify(ctx, c, v, userID, response)
	if err != nil {
		return nil, err
	}
	if proof.UserID != userID {
		return nil, errMFAFailed.Because(errors.New("the factor belongs to somebody else"))
	}
	if _, err := desk.Redeem(ctx, pendingKind, ticket, nil); err != nil {
		return nil, err
	}
	return a.completeSecond(ctx, c, pending, proof)
}

// factorOf is the method that was chosen, if it is one of those that the ticket allows.
func (a *Auth) factorOf(pending pendingSignIn, method string) (SecondFactor, error) {
	f, ok := a.verifiers[method].(SecondFactor)
	if !ok || !slices.Contains(pending.Factor, method) {
		return nil, errInvalidRequest.At("body.method", "is not a second factor of this account")
	}
	return f, nil
}

// challenge begins a second factor that asks before it is answered.
func (a *Auth) challenge(ctx context.Context, c *Call, ticket, method string) (any, error) {
	var pending pendingSignIn
	userID, err := a.engineDesk(a.store).Peek(ctx, pendingKind, ticket, &pending)
	if err != nil {
		return nil, err
	}
	f, err := a.factorOf(pending, method)
	if err != nil {
		return nil, err
	}
	asks, ok := f.(Challenger)
	if !ok {
		return nil, errInvalidRequest.At("body.method", "asks nothing; send the code")
	}
	return asks.Challenge(ctx, c, userID)
}

// completeSecond joins both proofs; if the person's epoch moved in between, also at the last moment, the first one is worth
// nothing.
func (a *Auth) completeSecond(ctx context.Context, c *Call, pending pendingSignIn, proof Proof) (*Outcome, error) {
	p, err := a.readPerson(ctx, proof.UserID)
	if err != nil {
		return nil, errInvalidTicket.Because(err)
	}
	if p.record.Epoch != pending.Epoch {
		return nil, errInvalidTicket.Because(errors.New("the account changed in between"))
	}
	c.wants = pending.Wants
	proof.AMR, proof.second, proof.Epoch = union(pending.AMR, proof.AMR), true, pending.Epoch
	return a.signIn(ctx, c, proof)
}

func union(lists ...[]string) []string {
	var all []string
	for _, list := range lists {
		for _, s := range list {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// reauthenticate notes a new proof of the person who is signed in, and changes the cookie value with it.
func (a *Auth) reauthenticate(ctx context.Context, c *Call, method string, response json.RawMessage) (SignedInAnswer, error) {
	p := c.Principal
	v := a.verifiers[method]
	if v == nil {
		return SignedInAnswer{}, errInvalidRequest.At("body.method", "is not a way to prove that it is you")
	}
	// A fresh proof is one at the highest level that is enrolled (R28).
	if _, ok := v.(SecondFactor); !ok && len(p.person.factors) > 0 {
		return SignedInAnswer{}, errMFARequired.At("body.method", "must be a second factor: "+strings.Join(a.secondFactors(p.person, ""), ", "))
	}
	proof, err := a.verify(ctx, c, v, p.User.ID, response)
	if err != nil {
		return SignedInAnswer{}, err
	}
	if proof.UserID != p.User.ID {
		return SignedInAnswer{}, errCredentials.Because(errors.New("the proof is somebody else's"))
	}
	// The session first: a node that reads it after the log entry must find the new cookie value, and not the old one.
	err = a.renew(ctx, c, p.SessionID, func(s *store.Session) {
		shown := slices.DeleteFunc(union(s.AMR, proof.AMR), func(m string) bool { return m == amrTrusted })
		s.AuthAt, s.AMR = a.now(), aboutFactors(Proof{AMR: shown, UserVerified: proof.UserVerified})
	})
	if err != nil {
		return SignedInAnswer{}, err
	}
	err = a.do(ctx, c, func(t *Tx) error {
		if err := t.changed(ctx, p.User.ID); err != nil {
			return err
		}
		return t.Emit(ctx, eventReauthenticated, p.User.ID, map[string]string{"method": method})
	})
	if err != nil {
		return SignedInAnswer{}, err
	}
	return a.reissue(ctx, c)
}

// reissue answers a caller who came with a token with a new one, which knows of the new proof.
func (a *Auth) reissue(ctx context.Context, c *Call) (SignedInAnswer, error) {
	p := c.Principal
	out := SignedInAnswer{User: *p.User, SessionID: p.SessionID}
	if p.via != viaToken {
		return out, nil
	}
	s, err := a.sessionByID(ctx, p.SessionID)
	if err != nil || s == nil {
		return out, errTokenRevoked.Because(err)
	}
	g, err := a.store.Grants().Get(ctx, p.grant)
	if err != nil {
		return out, errTokenRevoked.Because(err)
	}
	access, expires, err := a.issue(s.person, s.Session, g)
	if err != nil {
		return out, err
	}
	out.TokenType, out.ExpiresIn = "Bearer", int(a.cfg.Tokens.Access/time.Second)
	if g.Delivery == store.DeliverCookies {
		c.setCookie(accessCookie, access, expires)
	} else {
		out.AccessToken = access
	}
	return out, nil
}
