package password

import (
	"context"
	"errors"
	"strings"

	"github.com/ostiary/ostiary"
)

type registerInput struct {
	ostiary.Deliver
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name,omitempty"`
}

// VerificationRequired is the answer of a registration that does not tell whether the address was taken (R34).
type VerificationRequired struct {
	VerificationRequired bool `json:"verification_required"`
}

// register creates an account. Where sign-up does not tell, both branches do the same work: one hash, one transaction, one
// mail.
func (m *Method) register(ctx context.Context, c *ostiary.Call, in *registerInput) (ostiary.Proof, error) {
	policy, quiet := m.kit.SignUp()
	if policy != ostiary.SignUpOpen {
		return ostiary.Proof{}, errClosed
	}
	who := ostiary.NewUser{Email: strings.TrimSpace(in.Email), Name: strings.TrimSpace(in.Name)}
	if err := who.Check(); err != nil {
		return ostiary.Proof{}, err
	}
	normal, err := m.judge(ctx, "body.password", in.Password, who.Email, who.Name)
	if err != nil {
		return ostiary.Proof{}, err
	}
	owner, taken, err := m.owner(ctx, who.Email)
	if err != nil {
		return ostiary.Proof{}, err
	}
	if taken && !quiet {
		return ostiary.Proof{}, errTaken
	}
	hash, err := m.hash(ctx, c, normal)
	if err != nil {
		return ostiary.Proof{}, err
	}
	if !quiet {
		id, err := m.enroll(ctx, c, who, hash)
		return ostiary.Proof{UserID: id, AMR: []string{"pwd"}}, err
	}
	return ostiary.Proof{Answer: VerificationRequired{true}}, m.enrollQuietly(ctx, c, who, hash, owner, taken)
}

// owner finds the account of an address.
func (m *Method) owner(ctx context.Context, email string) (ostiary.User, bool, error) {
	u, err := m.kit.UserByEmail(ctx, strings.TrimSpace(email))
	ok, err := found(err)
	return u, ok, err
}

func (m *Method) enroll(ctx context.Context, c *ostiary.Call, who ostiary.NewUser, hash string) (userID string, err error) {
	err = m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		u, err := t.CreateUser(ctx, who)
		if err != nil {
			return err
		}
		userID = u.ID
		keep, err := t.Credentials.Create(ctx, ostiary.Credential{UserID: u.ID, Lookup: u.ID, Data: []byte(hash)})
		if err != nil {
			return err
		}
		return m.askToVerify(ctx, t, u, keep)
	})
	return userID, err
}

func (m *Method) enrollQuietly(ctx context.Context, c *ostiary.Call, who ostiary.NewUser, hash string, owner ostiary.User, taken bool) error {
	may, err := m.mayMail(ctx, who.Email)
	if err != nil {
		return err
	}
	if !taken {
		if _, err = m.enroll(ctx, c, who, hash); !errors.Is(err, errTaken) {
			return err
		}
		// Somebody else was faster by the blink of an eye.
		if owner, _, err = m.owner(ctx, who.Email); err != nil {
			return err
		}
	}
	return m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if may {
			if err := t.Mail(ctx, owner, "signup_exists", map[string]string{"Link": m.kit.Link("/login")}); err != nil {
				return err
			}
		}
		return t.Emit(ctx, "signup.existing", owner.ID, nil)
	})
}
