package password

import (
	"context"
	"strings"

	"github.com/ostiary/ostiary"
)

type addressInput struct {
	Email string `json:"email"`
}

// resetTicket dies when the password or the address changes (R26).
type resetTicket struct {
	Address string `json:"a"` // normal form
	ID      string `json:"c"` // of the credential; "" when there was none
	Version int64  `json:"v"`
}

// forgot sends a link to the stored address of the account, if there is one. Whether or not, there is one transaction that
// issues one ticket.
func (m *Method) forgot(ctx context.Context, c *ostiary.Call, in *addressInput) (Accepted, error) {
	normal, err := m.kit.NormalEmail(strings.TrimSpace(in.Email))
	if err != nil {
		return Accepted{}, err
	}
	may, err := m.mayMail(ctx, normal)
	if err != nil {
		return Accepted{}, err
	}
	u, known, err := m.owner(ctx, normal)
	if err != nil {
		return Accepted{}, err
	}
	return Accepted{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if !known || !active(u) || !may {
			return m.decoy(ctx, t)
		}
		return m.sendReset(ctx, t, u, normal)
	})
}

func (m *Method) sendReset(ctx context.Context, t *ostiary.Tx, u ostiary.User, normal string) error {
	cred, _, err := stored(ctx, t.Credentials, u.ID)
	if err != nil {
		return err
	}
	secret, err := t.Tickets.Issue(ctx, kindReset, u.ID, m.resetTTL, resetTicket{normal, cred.ID, cred.Version})
	if err != nil {
		return err
	}
	others, err := t.Beside(ctx, u.ID, m.Name())
	if err != nil {
		return err
	}
	return t.Mail(ctx, u, "reset", map[string]string{
		"Link": m.kit.Link("/reset?token=" + secret), "Expires": span(m.resetTTL), "Factors": strings.Join(others, ","),
	})
}

// decoy is the work of a link that goes to nobody: a ticket that nobody knows.
func (m *Method) decoy(ctx context.Context, t *ostiary.Tx) error {
	_, err := t.Tickets.Issue(ctx, kindReset, "", m.resetTTL, resetTicket{})
	return err
}

type resetInput struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

// reset chooses a new password. A weak one is refused before the link is used up.
func (m *Method) reset(ctx context.Context, c *ostiary.Call, in *resetInput) (ostiary.None, error) {
	var ticket resetTicket
	userID, err := m.kit.Tickets.Peek(ctx, kindReset, in.Token, &ticket)
	if err != nil {
		return ostiary.None{}, err
	}
	u, err := m.kit.User(ctx, userID)
	if ok, err := found(err); !ok {
		return ostiary.None{}, errTicket.Because(err)
	}
	normal, err := m.judge(ctx, "body.password", in.Password, u.Email, u.Name)
	if err != nil {
		return ostiary.None{}, err
	}
	hash, err := m.hash(ctx, c, normal)
	if err != nil {
		return ostiary.None{}, err
	}
	return ostiary.None{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error { return m.redeemReset(ctx, t, in.Token, hash) })
}

// bound is what every link by mail is held to: the account still has the address and the very password that it had when
// the link was made (R26).
func (m *Method) bound(ctx context.Context, t *ostiary.Tx, userID, address, id string, version int64) (ostiary.User, ostiary.Credential, error) {
	u, err := m.holder(ctx, t, userID, address)
	if err != nil {
		return u, ostiary.Credential{}, err
	}
	cred, _, err := stored(ctx, t.Credentials, userID)
	if err == nil && (cred.ID != id || cred.Version != version) {
		err = errTicket
	}
	return u, cred, err
}

func (m *Method) redeemReset(ctx context.Context, t *ostiary.Tx, token, hash string) error {
	var ticket resetTicket
	userID, err := t.Tickets.Redeem(ctx, kindReset, token, &ticket)
	if err != nil {
		return err
	}
	u, cred, err := m.bound(ctx, t, userID, ticket.Address, ticket.ID, ticket.Version)
	if err != nil {
		return err
	}
	if !u.EmailVerified {
		// The link proved the address for the first time: nothing that was made before it stays (R26).
		if err := t.FirstProof(ctx, userID); err != nil {
			return err
		}
		cred, u.EmailVerified = ostiary.Credential{}, true
	}
	if err := put(ctx, t.Credentials, cred, userID, hash); err != nil {
		return err
	}
	if err := t.Suspect(ctx, userID); err != nil {
		return err
	}
	return m.replaced(ctx, t, t.Tickets, u, "password.reset")
}

// holder reads the person of a ticket: active, and still at the address that the ticket was made for.
func (m *Method) holder(ctx context.Context, t *ostiary.Tx, userID, normal string) (ostiary.User, error) {
	u, err := t.User(ctx, userID)
	ok, err := found(err)
	if err != nil {
		return u, err
	}
	if !ok || !active(u) {
		return u, errTicket
	}
	at, err := m.normal(u)
	if err != nil || at != normal {
		return u, errTicket.Because(err)
	}
	return u, nil
}

// normal is the normal form of a person's address, "" when there is none.
func (m *Method) normal(u ostiary.User) (string, error) {
	if u.Email == "" {
		return "", nil
	}
	return m.kit.NormalEmail(u.Email)
}
