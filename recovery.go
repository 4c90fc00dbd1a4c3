package ostiary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Recovery of a lost factor (R32): whoever has shown the first one asks, everybody concerned is told, and after three days
// in which nobody said no the factors are removed.
const (
	recoveryKind  = "recovery"
	recoveryDelay = 72 * time.Hour
	recoveryLife  = 7 * 24 * time.Hour // from the request
)

// rateRecovery bounds the requests, and so the mails, of one account.
var rateRecovery = store.Rate{Burst: 3, Every: 24 * time.Hour}

var (
	errRecoveryPending = Fail(http.StatusForbidden, "recovery_pending", "The waiting time is not over yet.")
	errNoRecovery      = Fail(http.StatusNotFound, "not_found", "Nobody has asked to remove the second factors of this account, or it was cancelled or is too long ago.")
	errNoAddress       = Fail(http.StatusForbidden, "forbidden", "This account has no address that could be told. Please ask an administrator.")
)

// Recovery is a request to remove the second factors of somebody who lost them.
type Recovery struct {
	RequestedAt time.Time `json:"requested_at"`
	ReadyAt     time.Time `json:"ready_at"`   // not before
	ExpiresAt   time.Time `json:"expires_at"` // not after
}

// recoveryRow is what is kept of a request, in a credential of which each person can have one. It dies when the epoch
// moves: whoever changes his password or signs out everywhere has said no.
type recoveryRow struct {
	Epoch int64     `json:"e"`
	At    time.Time `json:"t"`
}

func (r recoveryRow) public() *Recovery {
	return &Recovery{RequestedAt: r.At, ReadyAt: r.At.Add(recoveryDelay), ExpiresAt: r.At.Add(recoveryLife)}
}

// recoveryOf finds a request that still counts; nil when there is none. The credential is returned in any case.
func (a *Auth) recoveryOf(ctx context.Context, vault *Vault, u store.User) (*Recovery, Credential, error) {
	row, err := vault.ByLookup(ctx, u.ID)
	if isNotFound(err) {
		return nil, Credential{}, nil
	}
	if err != nil {
		return nil, row, err
	}
	var r recoveryRow
	if err := json.Unmarshal(row.Data, &r); err != nil {
		return nil, row, fmt.Errorf("read request for recovery: %w", err)
	}
	if r.Epoch != u.Epoch || !a.now().Before(r.At.Add(recoveryLife)) {
		return nil, row, nil
	}
	return r.public(), row, nil
}

type recoveryInput struct {
	MFAToken string `json:"mfa_token"`
}

// pendingPerson is the person who has shown the first factor, as he is now.
func (a *Auth) pendingPerson(ctx context.Context, ticket string) (*person, pendingSignIn, error) {
	var pending pendingSignIn
	userID, err := a.engineDesk(a.store).Peek(ctx, pendingKind, ticket, &pending)
	if err != nil {
		return nil, pending, err
	}
	p, err := a.readPerson(ctx, userID)
	if err != nil {
		return nil, pending, errInvalidTicket.Because(err)
	}
	if p.record.Epoch != pending.Epoch {
		return nil, pending, errInvalidTicket.Because(errors.New("the account changed in between"))
	}
	if refused := a.alive(p); refused != nil {
		return nil, pending, refused
	}
	return p, pending, nil
}

// serveRecovery notes a request. The sign-in stays pending: the factor may yet be found. Asking again changes nothing.
func (a *Auth) serveRecovery(ctx context.Context, c *Call, in *recoveryInput) (Recovery, error) {
	p, _, err := a.pendingPerson(ctx, in.MFAToken)
	if err != nil {
		return Recovery{}, err
	}
	if p.record.Email == "" {
		return Recovery{}, errNoAddress
	}
	known, _, err := a.recoveryOf(ctx, a.engineVault(recoveryKind, nil), p.record)
	if err != nil {
		return Recovery{}, err
	}
	if known != nil {
		return *known, nil
	}
	ok, err := a.kit("engine").Allow(ctx, recoveryKind, p.record.ID, rateRecovery)
	if err != nil {
		return Recovery{}, err
	}
	if !ok {
		return Recovery{}, errRateLimited.After(rateRecovery.Every)
	}
	var r Recovery
	err = a.do(ctx, c, func(t *Tx) error {
		r, err = t.askRecovery(ctx, p)
		return err
	})
	return r, err
}

func (t *Tx) askRecovery(ctx context.Context, p *person) (Recovery, error) {
	if err := t.stillAlive(ctx, p); err != nil {
		return Recovery{}, err
	}
	vault := t.a.engineVault(recoveryKind, t)
	known, _, err := t.a.recoveryOf(ctx, vault, p.record)
	if err != nil || known != nil {
		return value(known), err
	}
	if err := t.voidRecovery(ctx, p.record.ID); err != nil {
		return Recovery{}, err
	}
	row := recoveryRow{p.record.Epoch, t.a.now()}
	data, err := json.Marshal(row)
	if err != nil {
		return Recovery{}, fmt.Errorf("write request for recovery: %w", err)
	}
	if _, err := vault.Create(ctx, Credential{UserID: p.record.ID, Lookup: p.record.ID, Data: data}); err != nil {
		return Recovery{}, err
	}
	secret, err := t.a.engineDesk(t.tx).Issue(ctx, recoveryKind, p.record.ID, recoveryLife, None{})
	if err != nil {
		return Recovery{}, err
	}
	err = t.Mail(ctx, p.user, "mfa_recovery", map[string]string{"Link": t.a.issuer + "/recover?cancel=" + secret, "Expires": "7 days"})
	if err != nil {
		return Recovery{}, err
	}
	return *row.public(), t.Emit(ctx, eventRecoveryAsked, p.record.ID, nil)
}

func value(r *Recovery) Recovery {
	if r == nil {
		return Recovery{}
	}
	return *r
}

// serveRecovered removes the factors once the time is over, signs everybody out, and completes the sign-in. Of several
// callers one wins: the request is used up by the transaction that removes the factors. That moved the epoch by one; if it is
// another one when the sign-in is completed, the first proof is worth nothing any more.
func (a *Auth) serveRecovered(ctx context.Context, c *Call, in *recoveryInput) (*Outcome, error) {
	p, pending, err := a.pendingPerson(ctx, in.MFAToken)
	if err != nil {
		return nil, err
	}
	if _, err := a.recoverable(ctx, a.engineVault(recoveryKind, nil), p.record); err != nil {
		return nil, err
	}
	if _, err := a.engineDesk(a.store).Redeem(ctx, pendingKind, in.MFAToken, nil); err != nil {
		return nil, err
	}
	err = a.do(ctx, c, func(t *Tx) error {
		if err := t.stillAlive(ctx, p); err != nil {
			return err
		}
		if err := t.claimRecovery(ctx, p.record); err != nil {
			return err
		}
		if err := t.resetFactors(ctx, p.record.ID, eventRecovered); err != nil {
			return err
		}
		return t.endSessions(ctx, p.record.ID, "")
	})
	if err != nil {
		return nil, err
	}
	c.wants = pending.Wants
	return a.signIn(ctx, c, Proof{UserID: p.record.ID, AMR: pending.AMR, Epoch: p.record.Epoch + 1, method: pending.Method})
}

// recoverable finds the request by which the factors may be removed now.
func (a *Auth) recoverable(ctx context.Context, vault *Vault, u store.User) (Credential, error) {
	r, row, err := a.recoveryOf(ctx, vault, u)
	if err != nil {
		return row, err
	}
	if r == nil {
		return row, errNoRecovery
	}
	if wait := r.ReadyAt.Sub(a.now()); wait > 0 {
		return row, errRecoveryPending.After(wait)
	}
	return row, nil
}

// claimRecovery makes this the only transaction that uses the request: a compare-and-swap, so that neither another one nor
// a refusal at the same moment can be overtaken.
func (t *Tx) claimRecovery(ctx context.Context, u store.User) error {
	vault := t.a.engineVault(recoveryKind, t)
	row, err := t.a.recoverable(ctx, vault, u)
	if err != nil {
		return err
	}
	if err := vault.Update(ctx, row); isNotFound(err) {
		return errNoRecovery.Because(err)
	} else if err != nil {
		return err
	}
	return nil
}

type cancelInput struct {
	Token string `json:"token,omitempty"` // of the mail; not needed by somebody who is signed in
}

// serveCancelRecovery says no: with the link of the mail, or from any session of the person.
func (a *Auth) serveCancelRecovery(ctx context.Context, c *Call, in *cancelInput) (None, error) {
	if in.Token == "" && (!c.Principal.FirstParty() || c.Principal.User == nil) {
		return None{}, errNotSignedIn
	}
	return None{}, a.do(ctx, c, func(t *Tx) error {
		userID := ""
		if in.Token == "" {
			userID = c.Principal.User.ID
		} else {
			var err error
			if userID, err = a.engineDesk(t.tx).Redeem(ctx, recoveryKind, in.Token, nil); err != nil {
				return err
			}
		}
		return t.cancelRecovery(ctx, userID)
	})
}

func (t *Tx) cancelRecovery(ctx context.Context, userID string) error {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return fault("read user", err)
	}
	r, _, err := t.a.recoveryOf(ctx, t.a.engineVault(recoveryKind, t), u)
	if err != nil {
		return err
	}
	if err := t.voidRecovery(ctx, userID); err != nil || r == nil {
		return err
	}
	return t.Emit(ctx, eventRecoveryCancelled, userID, nil)
}

// voidRecovery removes a request and the links that cancel it.
func (t *Tx) voidRecovery(ctx context.Context, userID string) error {
	row, err := t.tx.Credentials().ByLookup(ctx, engineMethods+recoveryKind, userID)
	if err != nil && !isNotFound(err) {
		return fault("find request for recovery", err)
	}
	if err == nil {
		if err := t.tx.Credentials().Delete(ctx, row.ID, row.Version); err != nil {
			return fault("delete request for recovery", err)
		}
	}
	return t.a.engineDesk(t.tx).Void(ctx, recoveryKind, userID)
}

// FactorsAnswer is what somebody has enrolled, and what is about to happen to it.
type FactorsAnswer struct {
	Enabled  bool      `json:"enabled"`            // sign-in asks for a second factor
	Methods  []string  `json:"methods"`            // that can be shown as one
	Recovery *Recovery `json:"recovery,omitempty"` // somebody asked to remove the factors
}

func (a *Auth) serveFactors(ctx context.Context, c *Call, _ *None) (FactorsAnswer, error) {
	p, err := a.callersPerson(ctx, c)
	if err != nil {
		return FactorsAnswer{}, err
	}
	r, _, err := a.recoveryOf(ctx, a.engineVault(recoveryKind, nil), p.record)
	methods := a.secondFactors(p, "")
	if methods == nil {
		methods = []string{}
	}
	return FactorsAnswer{Enabled: len(p.factors) > 0, Methods: methods, Recovery: r}, err
}

func (a *Auth) recoveryRoutes() []Route {
	return []Route{
		{
			Name: "mfa.get", Pattern: "GET /api/v1/mfa", Serve: JSON(a.serveFactors),
			Doc: "Says which second factors the person has, and whether somebody asked to remove them.",
		},
		{
			Name: "mfa.recovery", Pattern: "POST /api/v1/mfa/recovery", Access: Public, Guess: true, Mail: true, Status: http.StatusAccepted,
			Serve: JSON(a.serveRecovery), Doc: "Asks for the removal of lost second factors. It takes three days, and the person is told.",
		},
		{
			Name: "mfa.recovery.finish", Pattern: "POST /api/v1/mfa/recovery/finish", Access: Public, Guess: true,
			Serve: JSON(a.serveRecovered), Doc: "Removes the second factors when the time is over, ends every session, and signs in.",
		},
		{
			Name: "mfa.recovery.cancel", Pattern: "POST /api/v1/mfa/recovery/cancel", Access: Optional, Guess: true,
			Serve: JSON(a.serveCancelRecovery), Doc: "Cancels a removal of second factors, with the token of the mail or from a session.",
		},
	}
}
