package ostiary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/address"
	"github.com/ostiary/ostiary/store"
)

// Method is a way to prove who somebody is. It never sees a session, a cookie or a token: so it cannot forget a step.
type Method interface {
	// Name names the method in credentials, tickets and amr lists; it never changes.
	Name() string
	// Routes is called once by [New]; the method keeps the Kit.
	Routes(k *Kit) ([]Route, error)
}

// Verifier is a Method that can check a person who is known already: as a second factor, or to prove again that it is he.
type Verifier interface {
	Method
	// Verify checks the response of a person. It fails with an [Error] (mfa_failed, invalid_credentials).
	Verify(ctx context.Context, c *Call, userID string, response json.RawMessage) (Proof, error)
	// Field is the member of a request that holds the response when no method is named: "password".
	Field() string
}

// Part is a whole surface: pages, account, administration. It is given more than a method is.
type Part interface {
	Name() string
	Routes(e *Engine) ([]Route, error)
}

// Authenticator is a Part that knows a credential of its own. ErrNoCredentials: the next one is asked.
type Authenticator interface {
	Authenticate(ctx context.Context, r *http.Request) (*Principal, error)
}

// ErrNoCredentials says that a request holds nothing that an Authenticator knows.
var ErrNoCredentials = errors.New("no credentials of this kind")

// Kit is what a method works with. It is bound to the method: it reads no other method's credentials and redeems no
// other's tickets.
type Kit struct {
	Log         *slog.Logger
	Credentials *Vault
	Tickets     *Desk

	name string
	a    *Auth
}

func (a *Auth) kit(name string) *Kit {
	return &Kit{
		Log: a.log, name: name, a: a,
		Credentials: &Vault{method: name, rows: a.store.Credentials(), a: a},
		Tickets:     &Desk{prefix: name, rows: a.store.Tickets(), a: a},
	}
}

// Link is an absolute address below Config.URL, for mails. Nothing of a request goes into it (R5).
func (k *Kit) Link(path string) string { return k.a.issuer + path }

// Now is the engine's clock.
func (k *Kit) Now() time.Time { return k.a.now() }

// Product is the name that is shown to people.
func (k *Kit) Product() string { return k.a.cfg.Product }

// Host is the host name of Config.URL.
func (k *Kit) Host() string { return k.a.base.Hostname() }

// CanMail says whether mail can be sent.
func (k *Kit) CanMail() bool { return k.a.cfg.Mailer != nil }

// SignUp is the policy, and whether its answers hide which addresses are taken (R34).
func (k *Kit) SignUp() (policy SignUp, quiet bool) { return k.a.cfg.SignUp, k.a.cfg.SignUpQuiet }

// VerifiedOnly says whether only verified addresses may sign in.
func (k *Kit) VerifiedOnly() bool { return k.a.cfg.RequireVerifiedEmail }

// NormalEmail is the form of an address under which accounts are found; the error is one for people.
func (k *Kit) NormalEmail(email string) (string, error) { return normalEmail(email) }

func normalEmail(email string) (string, error) {
	normal, err := address.Normal(email)
	if err != nil {
		return "", errAddress.Because(err)
	}
	return normal, nil
}

// newEmail is normalEmail for an address that somebody is about to get. It must be written as mail is sent to it: else one
// person would prove an address that looks like another's, and take it from him.
func newEmail(email string) (string, error) {
	normal, err := normalEmail(email)
	if err == nil && !address.Settled(strings.TrimSpace(email)) {
		return "", errAddress.Because(errors.New("its local part is not in the normal form"))
	}
	return normal, err
}

// User finds a person by ID. store.ErrNotFound.
func (k *Kit) User(ctx context.Context, id string) (User, error) {
	p, err := k.a.readPerson(ctx, id)
	if err != nil {
		return User{}, err
	}
	return p.user, nil
}

// UserByEmail finds a person by address, in any spelling. store.ErrNotFound, also for what is no address.
func (k *Kit) UserByEmail(ctx context.Context, email string) (User, error) {
	normal, err := address.Normal(email)
	if err != nil {
		return User{}, store.ErrNotFound
	}
	u, err := k.a.store.Users().ByEmail(ctx, normal)
	if err != nil {
		return User{}, fault("find user", err)
	}
	return publicUser(u, false), nil
}

// Do writes together. fn may run again; it must have no effect outside its Tx.
func (k *Kit) Do(ctx context.Context, c *Call, fn func(t *Tx) error) error {
	return k.a.doFor(ctx, k.name, c, fn)
}

// Credential is what a person can prove, as its method sees it.
type Credential struct {
	ID        string
	UserID    string
	Lookup    string // unique within the method; empty: the ID
	Factor    bool   // sign-in demands a second factor as soon as a person has one
	Data      []byte
	Version   int64
	CreatedAt time.Time
}

// Vault keeps the credentials of one method, sealed.
type Vault struct {
	method string
	rows   store.Credentials
	a      *Auth
	log    *Tx // set inside a transaction: changes are told to every node
}

func credentialPlace(id string) string { return "credentials/data/" + id }

// Create stores a credential and returns its ID. store.ErrConflict: the lookup value is taken.
func (v *Vault) Create(ctx context.Context, c Credential) (string, error) {
	if c.Factor && v.log == nil {
		var id string
		err := v.a.doFor(ctx, v.method, nil, func(t *Tx) (err error) {
			id, err = t.Credentials.Create(ctx, c)
			return err
		})
		return id, err
	}
	now := v.a.now()
	id := newID(now)
	if c.Lookup == "" {
		c.Lookup = id
	}
	row := store.Credential{ID: id, UserID: c.UserID, Method: v.method, Lookup: c.Lookup, Factor: c.Factor, CreatedAt: now}
	row.Data = v.a.cfg.Key.master.Seal(credentialPlace(id), c.Data)
	if err := v.rows.Create(ctx, row); err != nil {
		return "", fault("create credential", err)
	}
	return id, v.enrolled(ctx, c)
}

// ByLookup finds a credential. store.ErrNotFound.
func (v *Vault) ByLookup(ctx context.Context, lookup string) (Credential, error) {
	row, err := v.rows.ByLookup(ctx, v.method, lookup)
	if err != nil {
		return Credential{}, fault("find credential", err)
	}
	return v.open(row)
}

// Of returns the person's credentials of this method.
func (v *Vault) Of(ctx context.Context, userID string) ([]Credential, error) {
	rows, err := v.rows.Of(ctx, userID)
	if err != nil {
		return nil, fault("read credentials", err)
	}
	var list []Credential
	for _, row := range rows {
		if row.Method != v.method {
			continue
		}
		c, err := v.open(row)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// Update replaces a credential if nobody changed it since it was read. store.ErrConflict, store.ErrNotFound.
func (v *Vault) Update(ctx context.Context, c Credential) error {
	row := store.Credential{ID: c.ID, UserID: c.UserID, Method: v.method, Lookup: c.Lookup, Factor: c.Factor, Version: c.Version, CreatedAt: c.CreatedAt}
	row.Data = v.a.cfg.Key.master.Seal(credentialPlace(c.ID), c.Data)
	toggled, err := v.toggled(ctx, c)
	if err != nil {
		return err
	}
	if err := v.rows.Update(ctx, row); err != nil {
		return fault("update credential", err)
	}
	if toggled && c.Factor {
		return v.log.factorAdded(ctx, c.UserID)
	}
	if toggled {
		return v.log.factorsChanged(ctx, c.UserID)
	}
	return v.tell(ctx, c.UserID)
}

// toggled says whether an update enrols a credential as a factor, or ceases to.
func (v *Vault) toggled(ctx context.Context, c Credential) (bool, error) {
	if v.log == nil {
		return false, nil
	}
	before, err := v.rows.ByLookup(ctx, v.method, c.Lookup)
	if isNotFound(err) {
		return false, nil
	}
	return err == nil && before.Factor != c.Factor, fault("find credential", err)
}

// Delete removes a credential if nobody changed it since it was read. last_way_in when nothing that is left would sign the
// person in (R31).
func (v *Vault) Delete(ctx context.Context, c Credential) error {
	if v.log == nil {
		return v.a.doFor(ctx, v.method, nil, func(t *Tx) error { return t.Credentials.Delete(ctx, c) })
	}
	if err := v.log.remove(ctx, c); err != nil || !c.Factor {
		return err
	}
	return v.log.factorsChanged(ctx, c.UserID)
}

func (v *Vault) tell(ctx context.Context, userID string) error {
	if v.log == nil {
		return nil
	}
	return v.log.changed(ctx, userID)
}

func (v *Vault) open(row store.Credential) (Credential, error) {
	plain, err := v.a.cfg.Key.master.Open(credentialPlace(row.ID), row.Data)
	if err != nil {
		return Credential{}, fmt.Errorf("open credential %s: %w", row.ID, err)
	}
	return Credential{
		ID: row.ID, UserID: row.UserID, Lookup: row.Lookup, Factor: row.Factor, Data: plain, Version: row.Version, CreatedAt: row.CreatedAt,
	}, nil
}

// Desk issues and redeems one method's tickets: short-lived or one-time secrets of 256 bits, stored as a keyed hash (R33).
type Desk struct {
	prefix string
	rows   store.Tickets
	a      *Auth
}

const ticketPurpose = "ostiary ticket v1"

func (d *Desk) kind(kind string) string { return d.prefix + "." + kind }

func ticketPlace(kind string, hash [32]byte) string {
	return "tickets/data/" + kind + "/" + b64.EncodeToString(hash[:])
}

func ticketInput(kind, secret string) []byte { return []byte(kind + "\x00" + secret) }

// Issue makes a ticket and returns its secret. data is kept sealed. userID may be empty.
func (d *Desk) Issue(ctx context.Context, kind, userID string, ttl time.Duration, data any) (string, error) {
	_, secret := newSecret()
	return secret, d.put(ctx, d.kind(kind), secret, userID, ttl, data)
}

func (d *Desk) put(ctx context.Context, kind, secret, userID string, ttl time.Duration, data any) error {
	plain, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("write ticket: %w", err)
	}
	master := d.a.cfg.Key.master
	t := store.Ticket{Kind: kind, UserID: userID, ExpiresAt: d.a.now().Add(ttl), Hash: master.MAC(ticketPurpose, ticketInput(kind, secret))}
	t.Data = master.Seal(ticketPlace(kind, t.Hash), plain)
	return fault("issue ticket", d.rows.Put(ctx, t))
}

// Hold keeps the one ticket of its kind that a person has, in the place of an earlier one: for what somebody who is signed in
// asks for and finishes himself. Its secret is the person's ID, so it must be redeemed for the caller and for nobody that
// an input names. store.ErrConflict when two callers did so at once; a transaction runs again.
func (d *Desk) Hold(ctx context.Context, kind, userID string, ttl time.Duration, data any) error {
	if err := d.Void(ctx, kind, userID); err != nil {
		return err
	}
	return d.put(ctx, d.kind(kind), userID, userID, ttl, data)
}

// Peek reads a ticket without using it up. Whatever is wrong with it, the answer is invalid_ticket.
func (d *Desk) Peek(ctx context.Context, kind, secret string, data any) (userID string, err error) {
	return d.take(ctx, kind, secret, data, d.rows.Get)
}

// Redeem uses a ticket up; of several callers exactly one wins. Whatever is wrong with it, the answer is invalid_ticket.
func (d *Desk) Redeem(ctx context.Context, kind, secret string, data any) (userID string, err error) {
	return d.take(ctx, kind, secret, data, d.rows.Consume)
}

// Attempt counts a try on a ticket and returns how many there were.
func (d *Desk) Attempt(ctx context.Context, kind, secret string) (int, error) {
	var n int
	_, err := d.take(ctx, kind, secret, nil, func(ctx context.Context, kind string, hash [32]byte) (t store.Ticket, err error) {
		if n, err = d.rows.Attempt(ctx, kind, hash); err != nil {
			return t, err
		}
		return d.rows.Get(ctx, kind, hash)
	})
	return n, err
}

// Void removes a person's tickets of one kind.
func (d *Desk) Void(ctx context.Context, kind, userID string) error {
	return fault("void tickets", d.rows.DeleteOf(ctx, userID, d.kind(kind)))
}

type ticketVerb func(ctx context.Context, kind string, hash [32]byte) (store.Ticket, error)

func (d *Desk) take(ctx context.Context, kind, secret string, data any, verb ticketVerb) (string, error) {
	if len(secret) > 256 {
		return "", errInvalidTicket
	}
	kind = d.kind(kind)
	for _, hash := range d.a.cfg.Key.master.MACs(ticketPurpose, ticketInput(kind, secret)) {
		t, err := verb(ctx, kind, hash)
		if isNotFound(err) {
			continue
		}
		if errors.Is(err, store.ErrUsed) {
			return "", errInvalidTicket.Because(err)
		}
		if err != nil {
			return "", fault("redeem ticket", err)
		}
		return d.open(t, data)
	}
	return "", errInvalidTicket
}

func (d *Desk) open(t store.Ticket, data any) (string, error) {
	if !d.a.now().Before(t.ExpiresAt) {
		return "", errInvalidTicket
	}
	plain, err := d.a.cfg.Key.master.Open(ticketPlace(t.Kind, t.Hash), t.Data)
	if err != nil {
		return "", errInvalidTicket.Because(err)
	}
	if data == nil {
		return t.UserID, nil
	}
	if err := json.Unmarshal(plain, data); err != nil {
		return "", errInvalidTicket.Because(err)
	}
	return t.UserID, nil
}
