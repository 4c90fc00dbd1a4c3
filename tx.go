package ostiary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/store"
)

// maxRetries bounds how often a transaction is run again when somebody else changed the same record.
const maxRetries = 50

// Tx is what a method or part may write together. It becomes visible as a whole, or not at all.
type Tx struct {
	Credentials *Vault
	Tickets     *Desk

	a       *Auth
	c       *Call
	tx      store.Tx
	after   []func(ctx context.Context) error // on the volatile store, once the commit is durable
	logged  bool
	mailed  bool
	renewal *store.User // the caller's own person, whose epoch moved
}

// do runs fn in one durable transaction: again, when a compare-and-swap lost. After the commit this node knows what the
// transaction wrote to the revocation log before anything is answered (R23).
func (a *Auth) do(ctx context.Context, c *Call, fn func(t *Tx) error) error {
	return a.doFor(ctx, "", c, fn)
}

func (a *Auth) doFor(ctx context.Context, method string, c *Call, fn func(t *Tx) error) error {
	for try := 0; ; try++ {
		var t *Tx
		err := a.store.Do(ctx, func(tx store.Tx) error {
			t = &Tx{a: a, c: c, tx: tx}
			t.Credentials = &Vault{method: method, rows: tx.Credentials(), a: a, log: t}
			t.Tickets = &Desk{prefix: method, rows: tx.Tickets(), a: a}
			return fn(t)
		})
		if known := new(Error); errors.Is(err, store.ErrConflict) && !errors.As(err, &known) && try < maxRetries {
			continue
		}
		if err != nil {
			return fault("write", err)
		}
		return t.committed(ctx)
	}
}

// committed does what follows a durable commit. The caller's cancellation no longer matters.
func (t *Tx) committed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if t.logged {
		if err := t.a.follower.Sync(ctx); err != nil {
			t.a.follower.Doubt()
			t.a.log.ErrorContext(ctx, "the revocation log could not be read back; caches are not used until it can", "error", err)
		}
	}
	for _, f := range t.after {
		// The durable truth is written: a dead session store costs a warning, not the answer (R22).
		if err := f(ctx); err != nil {
			t.a.log.WarnContext(ctx, "a session could not be removed from the session store; the revocation log holds", "error", err)
		}
	}
	if t.mailed {
		t.a.wakeMail()
	}
	if t.renewal != nil {
		return t.a.renewOwn(ctx, t.c, *t.renewal)
	}
	return nil
}

// revoke adds entries to the revocation log. Kinds that are published live as long as the longest token (R20).
func (t *Tx) revoke(ctx context.Context, kind store.Kind, until time.Time, handles ...string) error {
	entries := make([]store.Entry, 0, len(handles))
	for _, h := range handles {
		e := store.Entry{Kind: kind, Hash: logHash(t.a.follower.Incarnation(), kind, h), ExpiresAt: until}
		if kind == store.KindKey {
			e.Hash = keyHash(h)
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil
	}
	t.logged = true
	return fault("append to revocation log", t.tx.Log().Append(ctx, entries...))
}

// changed tells every node to forget what it remembers of a person.
func (t *Tx) changed(ctx context.Context, userID string) error {
	return t.revoke(ctx, store.KindChanged, t.a.tokenEntryEnd(), userID)
}

// tokenEntryEnd is how long an entry about a token issued now must be kept.
func (a *Auth) tokenEntryEnd() time.Time { return a.now().Add(a.longestLifetime() + 2*time.Minute) }

// endGrants ends grants with everything that hangs on them, whoever holds a token of theirs.
func (t *Tx) endGrants(ctx context.Context, q store.GrantQuery) error {
	grants, err := t.tx.Grants().List(ctx, q)
	if err != nil {
		return fault("list grants", err)
	}
	handles := make([]string, 0, len(grants))
	for _, g := range grants {
		handles = append(handles, grantHandle(g))
	}
	if err := t.revoke(ctx, store.KindGrant, t.a.tokenEntryEnd(), handles...); err != nil {
		return err
	}
	if _, err := t.tx.Grants().End(ctx, q); err != nil {
		return fault("end grants", err)
	}
	return nil
}

// endSession ends one session and every grant that hangs on it.
func (t *Tx) endSession(ctx context.Context, s store.Session, why string) error {
	if s.ID == "" {
		return nil
	}
	if err := t.endGrants(ctx, store.GrantQuery{SessionID: s.ID}); err != nil {
		return err
	}
	until := s.ExpiresAt
	if until.IsZero() {
		until = t.a.now().Add(t.a.cfg.Sessions.TTL)
	}
	if err := t.revoke(ctx, store.KindSession, until, s.ID); err != nil {
		return err
	}
	if err := t.changed(ctx, s.UserID); err != nil {
		return err
	}
	t.after = append(t.after, func(ctx context.Context) error { return t.a.volatile.Sessions().End(ctx, s.ID) })
	e := t.a.event(t.c, eventSessionEnded, s.UserID, map[string]string{"why": why})
	e.SessionID = s.ID
	return t.record(ctx, e)
}

// EndSessions signs a person out everywhere by one increment of the epoch (R11). When the person himself is calling, his
// own session is renewed after it.
func (t *Tx) EndSessions(ctx context.Context, userID string) error {
	keep := ""
	if t.c != nil && t.c.Principal.FirstParty() && t.c.Principal.User != nil && t.c.Principal.User.ID == userID {
		keep = t.c.Principal.SessionID
	}
	return t.endSessions(ctx, userID, keep)
}

func (t *Tx) endSessions(ctx context.Context, userID, keep string) error {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return fault("read user", err)
	}
	if err := t.mayKeep(ctx, u, keep); err != nil {
		return err
	}
	var kept []store.Grant
	if keep != "" {
		if kept, err = t.hold(ctx, keep); err != nil {
			return err
		}
		t.renewal = &u
	}
	u.Epoch++
	if err := t.update(ctx, u); err != nil {
		return err
	}
	if err := t.endGrants(ctx, store.GrantQuery{UserID: userID, Except: keep}); err != nil {
		return err
	}
	if err := t.carryOver(ctx, kept, u.Epoch); err != nil {
		return err
	}
	t.after = append(t.after, func(ctx context.Context) error { return t.a.dropSessions(ctx, userID, keep) })
	return t.Emit(ctx, eventSessionsEnded, userID, nil)
}

// mayKeep refuses a caller who was signed out since he was let in: a change that takes its time, like that of a password,
// must not bring his session back.
func (t *Tx) mayKeep(ctx context.Context, u store.User, keep string) error {
	if keep == "" {
		return nil
	}
	if t.c.Principal.person.record.Epoch != u.Epoch {
		return errTokenRevoked.Because(errors.New("the caller was signed out everywhere in between"))
	}
	ended, err := t.tx.Log().Has(ctx, store.KindSession, logHash(t.a.follower.Incarnation(), store.KindSession, keep))
	if err != nil {
		return fault("read revocation log", err)
	}
	if ended {
		return errTokenRevoked.Because(errors.New("the caller's session was ended in between"))
	}
	return nil
}

// hold returns the live grants of a session and keeps everybody from rotating them before the commit: where transactions
// run side by side, a generation that was handed out meanwhile would be forgotten, and the one before be good again.
func (t *Tx) hold(ctx context.Context, sessionID string) ([]store.Grant, error) {
	grants, err := t.tx.Grants().List(ctx, store.GrantQuery{SessionID: sessionID})
	if err != nil {
		return nil, fault("list grants", err)
	}
	var held []store.Grant
	for _, g := range grants {
		err := t.tx.Grants().Rotate(ctx, store.Rotation{ID: g.ID, From: g.Generation, At: g.RotatedAt, ExpiresAt: g.ExpiresAt})
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fault("hold grant", err)
		}
		held = append(held, g)
	}
	return held, nil
}

// carryOver puts the caller's own grants into the new epoch.
func (t *Tx) carryOver(ctx context.Context, grants []store.Grant, epoch int64) error {
	for _, g := range grants {
		if _, err := t.tx.Grants().End(ctx, store.GrantQuery{ID: g.ID}); err != nil {
			return fault("carry grant over", err)
		}
		g.Epoch = epoch
		if err := t.tx.Grants().Create(ctx, g); err != nil {
			return fault("carry grant over", err)
		}
	}
	return nil
}

// dropSessions removes what the epoch has killed already.
func (a *Auth) dropSessions(ctx context.Context, userID, keep string) error {
	list, err := a.volatile.Sessions().List(ctx, store.SessionQuery{UserID: userID})
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.ID != keep {
			err = errors.Join(err, a.volatile.Sessions().End(ctx, s.ID))
		}
	}
	return err
}

// renewOwn gives the caller's session the new epoch and a new cookie value, and his browser a new device cookie if it had one.
func (a *Auth) renewOwn(ctx context.Context, c *Call, u store.User) error {
	err := a.renew(ctx, c, c.Principal.SessionID, func(s *store.Session) { s.Epoch = u.Epoch })
	if err == nil {
		c.renewDevice(u)
	}
	return err
}

// renew changes a session and its cookie value together: the old value is worth nothing after it.
func (a *Auth) renew(ctx context.Context, c *Call, id string, change func(*store.Session)) error {
	s, err := a.volatile.Sessions().Get(ctx, id)
	if err != nil {
		return fault("read session", err)
	}
	change(&s)
	hash, secret := newSessionSecret()
	s.Hash = hash
	if err := a.volatile.Sessions().Put(ctx, s); err != nil {
		return fault("keep session", err)
	}
	if c.Principal != nil && c.Principal.via == viaSession {
		c.setCookie(sessionCookie, secret, s.ExpiresAt)
	}
	return nil
}

// Mail queues a mail to a person's stored address, in the transaction of its cause. Templates are those of the Mailer.
func (t *Tx) Mail(ctx context.Context, to User, template string, data map[string]string) error {
	return t.MailTo(ctx, to.Email, to, template, data)
}

// MailTo is [Tx.Mail] to an address that is not (or no longer) the person's.
func (t *Tx) MailTo(ctx context.Context, address string, about User, template string, data map[string]string) error {
	if t.a.cfg.Mailer == nil || address == "" {
		return nil
	}
	n := Notice{To: address, Template: template, Locale: about.Locale, Data: t.a.mailData(t.c, about, data)}
	return t.enqueue(ctx, n)
}

// MailNobody queues a mail that is thrown away when its turn comes: for a request that must take the same work and time
// whether or not somebody gets mail by it.
func (t *Tx) MailNobody(ctx context.Context) error {
	if t.a.cfg.Mailer == nil {
		return nil
	}
	return t.enqueue(ctx, Notice{})
}

func (t *Tx) enqueue(ctx context.Context, n Notice) error {
	plain, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("write notice: %w", err)
	}
	now := t.a.now()
	m := store.Message{ID: newID(now), At: now, ExpiresAt: now.Add(mailLife)}
	m.Body = t.a.cfg.Key.master.Seal(messagePlace(m.ID), plain)
	t.mailed = true
	return fault("queue mail", t.tx.Messages().Enqueue(ctx, m))
}

func messagePlace(id string) string { return "messages/body/" + id }

// mailData is what every template may use.
func (a *Auth) mailData(c *Call, about User, data map[string]string) map[string]string {
	all := map[string]string{
		"Product": a.cfg.Product, "URL": a.issuer, "Name": about.Name, "Email": about.Email,
		"When": a.now().UTC().Format("2 January 2006, 15:04 UTC"),
	}
	if !about.EmailVerified {
		all["Name"] = "" // whoever wrote it is not known to be who reads it
	}
	if c != nil && c.Source.IsValid() {
		all["Source"], all["Device"] = c.Source.String(), c.UserAgent
	}
	for k, v := range data {
		all[k] = v
	}
	return all
}
