package passkey

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// verifyTTL is how long the link works that confirms the address of a registration.
const verifyTTL = 24 * time.Hour

type beginSignUpInput struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

// beginSignUp asks the browser to make a passkey for an account that does not exist yet. Where sign-up does not tell which
// addresses are taken, nothing is looked up.
func (m *Method) beginSignUp(ctx context.Context, _ *ostiary.Call, in *beginSignUpInput) (Begun, error) {
	policy, quiet := m.kit.SignUp()
	if policy != ostiary.SignUpOpen {
		return Begun{}, errClosed
	}
	if m.party == nil {
		return Begun{}, errUnavailable
	}
	b := begun{Handle: newHandle(), Email: strings.TrimSpace(in.Email), Name: strings.TrimSpace(in.Name)}
	if err := b.person().Check(); err != nil {
		return Begun{}, err
	}
	if !quiet {
		_, taken, err := m.owner(ctx, b.Email)
		if err != nil {
			return Begun{}, err
		}
		if taken {
			return Begun{}, errTaken
		}
	}
	return m.askCreate(ctx, forSignUp, "", b, called(b.Handle, b.Email, b.Name, m.kit.Product()))
}

func (b begun) person() ostiary.NewUser { return ostiary.NewUser{Email: b.Email, Name: b.Name} }

// owner finds the account of an address.
func (m *Method) owner(ctx context.Context, email string) (u ostiary.User, taken bool, err error) {
	u, err = m.kit.UserByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return u, false, nil
	}
	return u, err == nil, err
}

type finishSignUpInput struct {
	ostiary.Deliver
	Ticket     string          `json:"ticket"`
	Credential json.RawMessage `json:"credential"`
}

// VerificationRequired is the answer of a registration that does not tell whether the address was taken (R34).
type VerificationRequired struct {
	VerificationRequired bool `json:"verification_required"`
}

// finishSignUp creates the account. Where sign-up does not tell, both branches do the same work: one signature, one
// transaction, one mail.
func (m *Method) finishSignUp(ctx context.Context, c *ostiary.Call, in *finishSignUpInput) (ostiary.Proof, error) {
	policy, quiet := m.kit.SignUp()
	if policy != ostiary.SignUpOpen {
		return ostiary.Proof{}, errClosed
	}
	e, _, b, err := m.created(ctx, forSignUp, in.Ticket, in.Credential)
	if err != nil {
		return ostiary.Proof{}, err
	}
	if err := m.unknown(ctx, e); err != nil {
		return ostiary.Proof{}, err
	}
	owner, taken, err := m.owner(ctx, b.Email)
	if err != nil {
		return ostiary.Proof{}, err
	}
	if !quiet {
		if taken {
			return ostiary.Proof{}, errTaken
		}
		id, err := m.enroll(ctx, c, in.Ticket, b, e)
		return ostiary.Proof{UserID: id, AMR: amr(e.flags().ProtocolValue()), UserVerified: e.flags().UserVerified}, err
	}
	return ostiary.Proof{Answer: VerificationRequired{true}}, m.enrollQuietly(ctx, c, in.Ticket, b, e, owner, taken)
}

// unknown refuses a passkey that is registered already, before anything depends on whether the address is taken: else the
// refusal would tell.
func (m *Method) unknown(ctx context.Context, e entry) error {
	_, err := m.kit.Credentials.ByLookup(ctx, e.row.Lookup)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return errRegistered
}

// enroll creates the account with its passkey.
func (m *Method) enroll(ctx context.Context, c *ostiary.Call, ticket string, b begun, e entry) (userID string, err error) {
	err = m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if _, err := t.Tickets.Redeem(ctx, forSignUp, ticket, nil); err != nil {
			return asTicket(err)
		}
		u, err := t.CreateUser(ctx, b.person())
		if err != nil {
			return err
		}
		userID, e.row.UserID = u.ID, u.ID
		added, err := m.add(ctx, t, e)
		if err != nil {
			return err
		}
		return m.askToVerify(ctx, t, u, added.row.ID)
	})
	return userID, err
}

// askToVerify sends the link that confirms the address, when mail can be sent.
func (m *Method) askToVerify(ctx context.Context, t *ostiary.Tx, u ostiary.User, keep string) error {
	if !m.kit.CanMail() {
		return nil
	}
	secret, err := t.IssueVerification(ctx, u, keep, verifyTTL)
	if err != nil {
		return err
	}
	return t.Mail(ctx, u, "verify", map[string]string{"Link": m.kit.Link("/verify?token=" + secret), "Expires": "24 hours"})
}

func (m *Method) enrollQuietly(ctx context.Context, c *ostiary.Call, ticket string, b begun, e entry, owner ostiary.User, taken bool) error {
	may, err := m.kit.Allow(ctx, "mail", strings.ToLower(b.Email), store.Rate{Burst: 5, Every: 10 * time.Minute})
	if err != nil {
		return err
	}
	if !taken {
		_, err = m.enroll(ctx, c, ticket, b, e)
		if errors.Is(err, errRegistered) { // at this very moment, for another address: that must tell nothing
			return nil
		}
		if !errors.Is(err, errTaken) {
			return err
		}
		// Somebody else was faster by the blink of an eye.
		if owner, _, err = m.owner(ctx, b.Email); err != nil {
			return err
		}
	}
	return m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if _, err := t.Tickets.Redeem(ctx, forSignUp, ticket, nil); err != nil {
			return asTicket(err)
		}
		if may {
			if err := t.Mail(ctx, owner, "signup_exists", map[string]string{"Link": m.kit.Link("/login")}); err != nil {
				return err
			}
		}
		return t.Emit(ctx, "signup.existing", owner.ID, nil)
	})
}
