package password

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary"
)

// revertTTL is how long the old address can undo a change (R32).
const revertTTL = 7 * 24 * time.Hour

// eventReverted remembers that a change was undone. Its detail "since" is the time of that change, in microseconds.
const eventReverted = "email.reverted"

type changeEmailInput struct {
	Email           string `json:"email"`
	CurrentPassword string `json:"current_password,omitempty"` // not needed after a recent sign-in
}

// changeTicket moves an account to another address. It dies when the address or the password changes.
type changeTicket struct {
	From    string `json:"f"` // normal form
	To      string `json:"t"` // as it was written
	ID      string `json:"c"` // of the password; "" when there was none
	Version int64  `json:"v"`
}

// changeEmail sends a link to the new address. Whether that is taken is told to its owner only.
func (m *Method) changeEmail(ctx context.Context, c *ostiary.Call, in *changeEmailInput) (Accepted, error) {
	u, err := m.caller(ctx, c)
	if err != nil {
		return Accepted{}, err
	}
	if err := m.proven(ctx, c, u, in.CurrentPassword); err != nil {
		return Accepted{}, err
	}
	to := strings.TrimSpace(in.Email)
	if err := (ostiary.NewUser{Email: to}).Check(); err != nil {
		return Accepted{}, err
	}
	may, err := m.mayMail(ctx, to)
	if err != nil {
		return Accepted{}, err
	}
	other, taken, err := m.owner(ctx, to)
	if err != nil {
		return Accepted{}, err
	}
	return Accepted{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		switch {
		case !may:
			return m.decoy(ctx, t)
		case taken && other.ID != u.ID:
			return t.Mail(ctx, other, "email_taken", map[string]string{"Link": m.kit.Link("/login")})
		}
		return m.askToChange(ctx, t, u, to)
	})
}

// proven demands the password in this call, or a recent sign-in. To somebody with a second factor the password alone is no
// proof (R28): his sign-in must be recent anyway.
func (m *Method) proven(ctx context.Context, c *ostiary.Call, u ostiary.User, password string) error {
	if u.MFA || password == "" {
		if err := m.kit.Demand(c, fresh); err != nil {
			return err
		}
	}
	if password == "" {
		return nil
	}
	_, err := m.confirm(ctx, c, u.ID, password)
	return err
}

func (m *Method) askToChange(ctx context.Context, t *ostiary.Tx, u ostiary.User, to string) error {
	cred, _, err := stored(ctx, t.Credentials, u.ID)
	if err != nil {
		return err
	}
	from, err := m.normal(u)
	if err != nil {
		return err
	}
	secret, err := t.Tickets.Issue(ctx, kindChange, u.ID, m.verifyTTL, changeTicket{from, to, cred.ID, cred.Version})
	if err != nil {
		return err
	}
	return t.MailTo(ctx, to, u, "email_change", map[string]string{"Link": m.kit.Link("/verify?token=" + secret), "Expires": span(m.verifyTTL)})
}

// confirmChange gives the account its new address, and tells the old one how to undo that.
func (m *Method) confirmChange(ctx context.Context, t *ostiary.Tx, token string) error {
	var ticket changeTicket
	userID, err := t.Tickets.Redeem(ctx, kindChange, token, &ticket)
	if err != nil {
		return err
	}
	u, _, err := m.bound(ctx, t, userID, ticket.From, ticket.ID, ticket.Version)
	if err != nil {
		return err
	}
	if err := t.ChangeEmail(ctx, userID, ticket.To, true); err != nil {
		return err
	}
	return m.offerRevert(ctx, t, u, ticket)
}

// revertTicket brings an address back. It is nobody's in the store: a later change of address, or whatever else voids a
// person's tickets, must not take the way back from the one who was robbed.
type revertTicket struct {
	User    string `json:"u"`
	Address string `json:"a"` // as it was written
	At      int64  `json:"t"` // when it was given up, in microseconds
}

// offerRevert tells the old address. One that was never proven is told nothing: it may be a stranger's.
func (m *Method) offerRevert(ctx context.Context, t *ostiary.Tx, before ostiary.User, ticket changeTicket) error {
	to, err := m.kit.NormalEmail(ticket.To)
	if err != nil || !before.EmailVerified || to == ticket.From {
		return err
	}
	secret, err := t.Tickets.Issue(ctx, kindRevert, "", revertTTL, revertTicket{before.ID, before.Email, m.kit.Now().UnixMicro()})
	if err != nil {
		return err
	}
	return t.MailTo(ctx, before.Email, before, "email_changed", map[string]string{
		"Email": ticket.To, "Link": m.kit.Link("/email/revert?token=" + secret), "Expires": span(revertTTL),
	})
}

// revertEmail brings the old address back and ends all sessions.
func (m *Method) revertEmail(ctx context.Context, c *ostiary.Call, in *tokenInput) (ostiary.None, error) {
	return ostiary.None{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		var ticket revertTicket
		if _, err := t.Tickets.Redeem(ctx, kindRevert, in.Token, &ticket); err != nil {
			return err
		}
		if err := undone(ctx, t, ticket); err != nil {
			return err
		}
		if _, err := t.User(ctx, ticket.User); err != nil {
			if ok, err := found(err); !ok && err == nil {
				return errTicket
			}
			return err
		}
		// A thief may have registered the old address again, to keep its owner from coming back.
		if err := t.ReleaseEmail(ctx, ticket.Address, ticket.User); err != nil {
			return err
		}
		if err := t.ChangeEmail(ctx, ticket.User, ticket.Address, true); err != nil {
			return err
		}
		if err := t.EndSessions(ctx, ticket.User); err != nil {
			return err
		}
		if err := t.Suspect(ctx, ticket.User); err != nil { // whoever moved the address may have made keys (R26)
			return err
		}
		return t.Emit(ctx, eventReverted, ticket.User, map[string]string{"since": strconv.FormatInt(ticket.At, 10)})
	})
}

// undone refuses the link of a change that came after one that was undone: whoever stole an account and moved it twice
// cannot move it back to the address in between.
func undone(ctx context.Context, t *ostiary.Tx, ticket revertTicket) error {
	events, err := t.Happened(ctx, eventReverted, ticket.User, 100)
	if err != nil {
		return err
	}
	for _, e := range events {
		since, err := strconv.ParseInt(e.Detail["since"], 10, 64)
		if err == nil && since <= ticket.At && ticket.At <= e.At.UnixMicro() {
			return errTicket
		}
	}
	return nil
}
