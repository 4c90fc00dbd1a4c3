package ostiary

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/store"
)

// eventEmailReleased says that an account lost an address that it had never proven.
const eventEmailReleased = "user.email_released"

// What a method asks of the engine beside its own credentials and tickets. The answers are decided here.

// Demand checks a condition on the caller that a route cannot declare, because it depends on the input: "a recent sign-in,
// or the password in this very call". The error is the one that a route with that Need would answer.
func (k *Kit) Demand(c *Call, need ...Check) error {
	if c.Principal == nil {
		return errNotSignedIn
	}
	for _, n := range need {
		if err := n.check(k.a, c.Principal, c.request); err != nil {
			return err
		}
	}
	return nil
}

// Allow takes one unit of a limit that is shared by all nodes, and says whether there was one: for what is refused without
// telling, like mail to one address. It must not be called inside a transaction.
func (k *Kit) Allow(ctx context.Context, limit, key string, rate store.Rate) (bool, error) {
	if k.a.cfg.InsecureNoRateLimits {
		return true, nil
	}
	got, err := k.a.volatile.Counters().Take(ctx, k.counter(limit, key), k.a.now(), rate)
	return got.OK, fault("count", err)
}

// GiveBack returns what [Kit.Allow] took.
func (k *Kit) GiveBack(ctx context.Context, limit, key string, rate store.Rate) error {
	return fault("count", k.a.volatile.Counters().Refund(ctx, k.counter(limit, key), k.a.now(), rate))
}

func (k *Kit) counter(limit, key string) string {
	mac := k.a.cfg.Key.master.MAC("ostiary throttle v1", []byte(k.name+"\x00"+limit+"\x00"+key))
	return limit + ":" + base64.RawURLEncoding.EncodeToString(mac[:16])
}

// In gives a method its own credentials and tickets inside a transaction that somebody else began: an administrator who
// sets a password.
func (k *Kit) In(t *Tx) (*Vault, *Desk) {
	return &Vault{method: k.name, rows: t.tx.Credentials(), a: k.a, log: t}, &Desk{prefix: k.name, rows: t.tx.Tickets(), a: k.a}
}

// User reads a person inside the transaction. store.ErrNotFound.
func (t *Tx) User(ctx context.Context, id string) (User, error) {
	u, err := t.tx.Users().Get(ctx, id)
	if err != nil {
		return User{}, fault("read user", err)
	}
	creds, err := t.tx.Credentials().Of(ctx, id)
	if err != nil {
		return User{}, fault("read credentials", err)
	}
	return newPerson(u, creds).user, nil
}

// ReleaseEmail takes an address from an account other than keep's that claims it without ever having proven it, because
// somebody proves it now. email_taken: that account has proven it, too.
func (t *Tx) ReleaseEmail(ctx context.Context, email, keep string) error {
	normal, err := normalEmail(email)
	if err != nil {
		return err
	}
	u, err := t.tx.Users().ByEmail(ctx, normal)
	if isNotFound(err) || err == nil && u.ID == keep {
		return nil
	}
	if err != nil {
		return fault("find user", err)
	}
	if u.EmailVerified {
		return errEmailTaken
	}
	u.Email, u.EmailNormal = "", ""
	if err := t.update(ctx, u); err != nil {
		return err
	}
	if err := t.tx.Tickets().DeleteOf(ctx, u.ID, ""); err != nil {
		return fault("delete tickets", err)
	}
	return t.Emit(ctx, eventEmailReleased, u.ID, nil)
}

// Beside returns the names of the other methods that a person has credentials of: what a thief may have left, and what
// outlives a new password (R26).
func (t *Tx) Beside(ctx context.Context, userID, method string) ([]string, error) {
	names, err := t.Methods(ctx, userID)
	return slices.DeleteFunc(names, func(n string) bool { return n == method || strings.HasPrefix(n, "engine.") }), err
}

// Happened returns at most limit events of one kind about a person, newest first.
func (t *Tx) Happened(ctx context.Context, kind, subject string, limit int) ([]store.Event, error) {
	list, err := t.tx.Events().List(ctx, store.EventQuery{Subject: subject, Kind: kind, Limit: limit})
	return list, fault("list events", err)
}

// Check says what is wrong with what somebody says of himself, before it is known whether he may join: so that the answer
// does not depend on that.
func (n NewUser) Check() error {
	if _, err := newEmail(n.Email); err != nil {
		return err
	}
	return checkProfile(store.User{Name: n.Name, Picture: n.Picture, Locale: n.Locale})
}
