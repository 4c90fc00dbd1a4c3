package ostiary

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/store"
)

// Mailbox is the way in of a verified address: a link or a code by mail that ends in a sign-in.
const Mailbox = "mailbox"

// WayIn is a [Method] that signs people in by itself. What no method names is no way in: second factors, backup codes,
// keys (R31).
type WayIn interface {
	Method
	// WayIn says whether this is enough to sign in: a credential of the named method ("passkey", "identity:google"), or
	// [Mailbox].
	WayIn(by string) bool
}

var errLastWayIn = Fail(http.StatusConflict, "last_way_in", "This is the last way into the account: add another one first.")

// remove deletes a credential unless it is the last way in (R31). Removals of one person's ways in wait for each other: each
// moves the version of the person.
func (t *Tx) remove(ctx context.Context, c Credential) error {
	u, err := t.tx.Users().Get(ctx, c.UserID)
	if err != nil {
		return fault("read user", err)
	}
	before, err := t.tx.Credentials().Of(ctx, c.UserID)
	if err != nil {
		return fault("read credentials", err)
	}
	if err := t.tx.Credentials().Delete(ctx, c.ID, c.Version); err != nil {
		return fault("delete credential", err)
	}
	if !t.a.enterable(u, before) {
		return t.changed(ctx, c.UserID) // there was no way in to lose
	}
	after, err := t.tx.Credentials().Of(ctx, c.UserID)
	if err != nil {
		return fault("read credentials", err)
	}
	if !t.a.enterable(u, after) {
		return errLastWayIn.Because(errors.New("nothing that is left signs the person in"))
	}
	return t.update(ctx, u)
}

// enterable says whether a person can sign in with these credentials, or by his mailbox.
func (a *Auth) enterable(u store.User, creds []store.Credential) bool {
	if u.EmailVerified && u.Email != "" && a.cfg.Mailer != nil && a.wayIn(Mailbox) {
		return true
	}
	for _, c := range creds {
		if a.wayIn(c.Method) {
			return true
		}
	}
	return false
}

func (a *Auth) wayIn(by string) bool {
	for _, m := range a.cfg.Methods {
		if w, ok := m.(WayIn); ok && w.WayIn(by) {
			return true
		}
	}
	return false
}

// WayInBeside says whether a person can sign in without any credential of this method.
func (t *Tx) WayInBeside(ctx context.Context, userID string) (bool, error) {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return false, fault("read user", err)
	}
	creds, err := t.tx.Credentials().Of(ctx, userID)
	if err != nil {
		return false, fault("read credentials", err)
	}
	others := slices.DeleteFunc(creds, func(c store.Credential) bool { return c.Method == t.Credentials.method })
	return t.a.enterable(u, others), nil
}
