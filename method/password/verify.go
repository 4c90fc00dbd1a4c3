package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// The kinds of tickets.
const (
	kindReset  = "reset"
	kindChange = "change"
	kindRevert = "revert"
	kindSetup  = "setup"
)

// askToVerify sends the link that confirms an address, when mail can be sent.
func (m *Method) askToVerify(ctx context.Context, t *ostiary.Tx, u ostiary.User, keep string) error {
	if !m.kit.CanMail() {
		return nil
	}
	secret, err := t.IssueVerification(ctx, u, keep, m.verifyTTL)
	if err != nil {
		return err
	}
	return t.Mail(ctx, u, "verify", map[string]string{"Link": m.kit.Link("/verify?token=" + secret), "Expires": span(m.verifyTTL)})
}

// mayMail counts mail that strangers can cause to one address. Nobody is told that there was enough of it.
func (m *Method) mayMail(ctx context.Context, email string) (bool, error) {
	normal, err := m.kit.NormalEmail(email)
	if err != nil {
		return false, err
	}
	return m.kit.Allow(ctx, "mail", normal, store.Rate{Burst: 5, Every: 10 * time.Minute})
}

type tokenInput struct {
	Token string `json:"token"`
}

// verify takes both kinds of links: that of a registration, and that of a change of address.
func (m *Method) verify(ctx context.Context, c *ostiary.Call, in *tokenInput) (ostiary.None, error) {
	return ostiary.None{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		ticket, err := t.RedeemVerification(ctx, in.Token)
		if errors.Is(err, errTicket) {
			return m.confirmChange(ctx, t, in.Token)
		}
		if err != nil {
			return err
		}
		u, err := m.holder(ctx, t, ticket.UserID, ticket.Address)
		if err != nil {
			return err
		}
		if !u.EmailVerified { // a change that was begun before the first proof dies with it (R26)
			if err := t.Tickets.Void(ctx, kindChange, ticket.UserID); err != nil {
				return err
			}
		}
		return t.ConfirmEmail(ctx, ticket.UserID, ticket.Address, ticket.Keep)
	})
}

type resendInput struct {
	Email string `json:"email,omitempty"` // may be left out by somebody who is signed in
}

// resend sends the link again: the one of the registration, which keeps its password.
func (m *Method) resend(ctx context.Context, c *ostiary.Call, in *resendInput) (Accepted, error) {
	email := strings.TrimSpace(in.Email)
	if email == "" {
		if !c.Principal.FirstParty() || c.Principal.User == nil {
			return Accepted{}, errSignedOut
		}
		email = c.Principal.User.Email
	}
	may, err := m.mayMail(ctx, email)
	if err != nil {
		return Accepted{}, err
	}
	u, known, err := m.owner(ctx, email)
	if err != nil {
		return Accepted{}, err
	}
	return Accepted{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if !known || !active(u) || u.EmailVerified || !may {
			return m.decoy(ctx, t)
		}
		cred, _, err := stored(ctx, t.Credentials, u.ID)
		if err != nil {
			return err
		}
		return m.askToVerify(ctx, t, u, cred.ID)
	})
}

// span says in words how long something lasts.
func span(d time.Duration) string {
	unit, name := time.Minute, "minute"
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		unit, name = 24*time.Hour, "day"
	case d%time.Hour == 0:
		unit, name = time.Hour, "hour"
	}
	n := int(d / unit)
	if n == 1 {
		return "1 " + name
	}
	return fmt.Sprintf("%d %ss", n, name)
}
