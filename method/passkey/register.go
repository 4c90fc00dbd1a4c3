package passkey

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

const (
	maxPasskeys = 25 // of one person
	maxName     = 64 // characters
	handleSize  = 32 // bytes
)

// caller is the person who is signed in.
func caller(c *ostiary.Call) *ostiary.User { return c.Principal.User }

// beginRegister asks the browser to make a passkey, on an authenticator that holds none of this person's yet.
func (m *Method) beginRegister(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (Begun, error) {
	if m.party == nil {
		return Begun{}, errUnavailable
	}
	u := caller(c)
	list, err := m.of(ctx, m.kit.Credentials, u.ID)
	if err != nil {
		return Begun{}, err
	}
	if len(list) >= maxPasskeys {
		return Begun{}, errTooMany
	}
	who := called(newHandle(), u.Email, u.Name, m.kit.Product())
	if len(list) > 0 {
		who.handle = list[0].Handle // one person, one handle: an authenticator keeps one passkey for it
	}
	if who.credentials, err = credentials(list); err != nil {
		return Begun{}, err
	}
	return m.askCreate(ctx, forRegister, u.ID, begun{Handle: who.handle}, who)
}

func newHandle() []byte {
	handle := make([]byte, handleSize)
	rand.Read(handle)
	return handle
}

// of returns the passkeys of a person, the oldest first.
func (m *Method) of(ctx context.Context, v *ostiary.Vault, userID string) ([]entry, error) {
	rows, err := v.Of(ctx, userID)
	if err != nil {
		return nil, err
	}
	return openAll(rows)
}

type finishRegisterInput struct {
	Ticket     string          `json:"ticket"`
	Credential json.RawMessage `json:"credential"`
	Name       string          `json:"name,omitempty"`   // default: the make of the authenticator
	Factor     bool            `json:"factor,omitempty"` // sign-in with a password demands a second step from now on
}

// finishRegister adds the passkey that was made.
func (m *Method) finishRegister(ctx context.Context, c *ostiary.Call, in *finishRegisterInput) (Passkey, error) {
	name, err := checkName(in.Name)
	if err != nil {
		return Passkey{}, err
	}
	e, userID, _, err := m.created(ctx, forRegister, in.Ticket, in.Credential)
	if err != nil {
		return Passkey{}, err
	}
	u := caller(c)
	if userID != u.ID {
		return Passkey{}, errTicket.Because(errors.New("the challenge was made for somebody else"))
	}
	e.row.UserID, e.row.Factor = u.ID, in.Factor
	if name != "" {
		e.Name = name
	}
	err = m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if _, err := t.Tickets.Redeem(ctx, forRegister, in.Ticket, nil); err != nil {
			return asTicket(err)
		}
		e, err = m.add(ctx, t, e)
		if err != nil {
			return err
		}
		return m.tell(ctx, t, *u, "passkey_added")
	})
	return e.public(), err
}

// created checks a new passkey against the challenge of a ticket, which is not used up yet (WebAuthn §7.1).
func (m *Method) created(ctx context.Context, purpose, ticket string, raw json.RawMessage) (e entry, userID string, b begun, err error) {
	if m.party == nil {
		return e, "", b, errUnavailable
	}
	parsed, err := parseCreated(raw)
	if err != nil {
		return e, "", b, err
	}
	if userID, err = m.kit.Tickets.Peek(ctx, purpose, ticket, &b); err != nil {
		return e, "", b, asTicket(err)
	}
	made, err := m.party.web.CreateCredential(holder{handle: b.Handle}, m.party.session(ticket, b.Handle), parsed)
	if err != nil {
		return e, "", b, errMalformed.At("body.credential", "does not answer what was asked").Because(explain(err))
	}
	e.record = newRecord(b.Handle, made)
	e.Name = defaultName(e.AAGUID)
	e.row.Lookup = b64.EncodeToString(made.ID)
	return e, userID, b, nil
}

// add stores a passkey of a person.
func (m *Method) add(ctx context.Context, t *ostiary.Tx, e entry) (entry, error) {
	list, err := t.Credentials.Of(ctx, e.row.UserID)
	if err != nil {
		return e, err
	}
	if len(list) >= maxPasskeys {
		return e, errTooMany
	}
	if err := m.mayDemand(ctx, t, e); err != nil {
		return e, err
	}
	row, err := e.sealed()
	if err != nil {
		return e, err
	}
	e.row.CreatedAt = m.kit.Now()
	e.row.ID, err = t.Credentials.Create(ctx, row)
	if errors.Is(err, store.ErrConflict) {
		return e, errRegistered.Because(err) // WebAuthn §7.1 step 26: a credential id is known once, whoever has it
	}
	if err != nil {
		return e, err
	}
	return e, t.Emit(ctx, "passkey.registered", e.row.UserID, map[string]string{"passkey": e.row.ID, "aaguid": uuid(e.AAGUID)})
}

// mayDemand refuses to demand a second step where that would shut the person out: a passkey that cannot check who holds it
// is one step, and he has no other first one.
func (m *Method) mayDemand(ctx context.Context, t *ostiary.Tx, e entry) error {
	if !e.row.Factor || e.flags().UserVerified {
		return nil
	}
	beside, err := t.WayInBeside(ctx, e.row.UserID)
	if err != nil || beside {
		return err
	}
	return errOnlyWay
}

// checkName bounds what a person calls a passkey.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", errMalformed.At("body.name", "must be at most 64 characters, without control characters")
	}
	return name, nil
}

// asTicket gives the refusal of a challenge the words of this method.
func asTicket(err error) error {
	if errors.Is(err, errTicket) {
		return errTicket.Because(err)
	}
	return err
}
