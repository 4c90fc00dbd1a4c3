package ostiary

import (
	"context"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/store"
)

// epochLeap is more than anybody was ever signed out everywhere: an epoch that is left by a leap is met by no session that
// began after the copy was made, wherever it is kept.
const epochLeap = 1 << 20

// keyEntryLife is how long the log names a revoked signing key (R20).
const keyEntryLife = 30 * 24 * time.Hour

// Derive returns the key for a purpose under the master key of that ID; ok is false when the ring does not hold it. The
// purpose is a constant of the program that names it and its version ("acme backup v1").
func (k Key) Derive(id, purpose string) (key [32]byte, ok bool) {
	for _, known := range k.master.IDs() {
		if known.String() == id {
			return k.master.Derive(known, purpose)
		}
	}
	return key, false
}

// Restored ends what must not come back with a database that was restored from a copy (R21): whatever was revoked after the
// copy was made is forgotten in it. All sessions and grants end, unless keepSessions; all tickets and waiting mails are
// removed; all signing keys are revoked, others take their place, and the revocation log begins anew.
//
// It is to be called before anybody is let in, and may be called again after it failed. Nodes that run on the database
// already notice as they notice every revocation.
func (e *Engine) Restored(ctx context.Context, c *Call, keepSessions bool) error {
	a := e.a
	if err := a.dropRestored(ctx, keepSessions); err != nil {
		return err
	}
	if !keepSessions {
		if err := a.leapEpochs(ctx, c); err != nil {
			return err
		}
	}
	old, err := a.rotator.List(ctx)
	if err != nil {
		return fault("list signing keys", err)
	}
	kids := make([]string, 0, len(old))
	for _, k := range old {
		kids = append(kids, k.ID)
	}
	if err := a.do(ctx, c, func(t *Tx) error { return t.beginAgain(ctx, kids, keepSessions) }); err != nil {
		return err
	}
	return fault("load signing keys", a.rotator.Load(ctx))
}

// beginAgain restarts the log. The entries of dead keys, which verifiers have to hear of, are the first of the new one.
func (t *Tx) beginAgain(ctx context.Context, kids []string, keepSessions bool) error {
	if err := t.tx.Log().Restart(ctx); err != nil {
		return fault("restart the revocation log", err)
	}
	for _, kid := range kids {
		if err := t.a.rotator.RevokeTx(ctx, t.tx, kid); err != nil {
			return fault("revoke signing key", err)
		}
	}
	if err := t.revoke(ctx, store.KindKey, t.a.now().Add(keyEntryLife), kids...); err != nil {
		return err
	}
	sessions := "ended"
	if keepSessions {
		sessions = "kept"
	}
	return t.Emit(ctx, eventRestored, "", map[string]string{"sessions": sessions})
}

// endOfTime is later than anything expires.
func endOfTime() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

// dropRestored removes tickets, mails, and sessions with their grants.
func (a *Auth) dropRestored(ctx context.Context, keepSessions bool) error {
	if err := a.sweep(ctx, "tickets", func() (int, error) { return a.store.Tickets().Sweep(ctx, endOfTime(), sweepBatch) }); err != nil {
		return err
	}
	if err := a.sweep(ctx, "mails", func() (int, error) { return a.dropMails(ctx) }); err != nil {
		return err
	}
	if err := a.dropRestoredSessions(ctx, keepSessions); err != nil || keepSessions {
		return err
	}
	return a.sweep(ctx, "grants", func() (int, error) {
		return a.store.Grants().End(ctx, store.GrantQuery{Expired: endOfTime(), Limit: sweepBatch})
	})
}

func (a *Auth) dropMails(ctx context.Context) (int, error) {
	waiting, err := a.store.Messages().Lease(ctx, endOfTime(), endOfTime().Add(time.Hour), sweepBatch)
	if err != nil {
		return 0, err
	}
	for _, m := range waiting {
		if err := a.store.Messages().Done(ctx, m.ID); err != nil {
			return 0, err
		}
	}
	return len(waiting), nil
}

// dropRestoredSessions keeps none, or none but those that the old log does not name: in the new one nothing will.
func (a *Auth) dropRestoredSessions(ctx context.Context, keepLive bool) error {
	e := &Engine{Kit: a.kit("restore")}
	for after := ""; ctx.Err() == nil; {
		page, err := a.volatile.Sessions().List(ctx, store.SessionQuery{After: after, Limit: sweepBatch})
		if err != nil {
			return fault("list sessions", err)
		}
		keep := map[string]bool{}
		if keepLive {
			live, err := e.living(ctx, page)
			if err != nil {
				return err
			}
			for _, s := range live {
				keep[s.ID] = true
			}
		}
		for _, s := range page {
			after = s.ID
			if keep[s.ID] {
				continue
			}
			if err := a.volatile.Sessions().End(ctx, s.ID); err != nil {
				return fault("end session", err)
			}
		}
		if len(page) < sweepBatch {
			return nil
		}
	}
	return ctx.Err()
}

// leapEpochs moves everybody into an epoch that never was.
func (a *Auth) leapEpochs(ctx context.Context, c *Call) error {
	for after := ""; ; {
		page, err := a.store.Users().List(ctx, store.UserQuery{After: after, Limit: sweepBatch})
		if err != nil || len(page) == 0 {
			return fault("list users", err)
		}
		err = a.do(ctx, c, func(t *Tx) error {
			for _, u := range page {
				if err := t.leap(ctx, u.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("end epochs: %w", err)
		}
		after = page[len(page)-1].ID
	}
}

func (t *Tx) leap(ctx context.Context, userID string) error {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return ignoreNotFound(err)
	}
	u.Epoch += epochLeap
	return fault("leave epoch", t.tx.Users().Update(ctx, u))
}
