package password

import (
	"context"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/address"
)

type loginInput struct {
	ostiary.Deliver
	Email    string `json:"email"`
	Password string `json:"password"`
}

// AccountKey makes every spelling of an address one account. What is no address has no account to be counted for.
func (in *loginInput) AccountKey() string {
	normal, err := address.Normal(strings.TrimSpace(in.Email))
	if err != nil {
		return ""
	}
	return normal
}

// login gives the same answer after the same work whether the account exists, has a password, or has another one (R35).
func (m *Method) login(ctx context.Context, c *ostiary.Call, in *loginInput) (ostiary.Proof, error) {
	u, known, err := m.owner(ctx, in.Email)
	if err != nil {
		return ostiary.Proof{}, err
	}
	id := nobody
	if known {
		id = u.ID
	}
	cred, err := m.confirm(ctx, c, id, in.Password)
	if err != nil {
		return ostiary.Proof{}, err
	}
	if m.kit.VerifiedOnly() && !u.EmailVerified && active(u) {
		if err := m.remind(ctx, c, u, cred.ID); err != nil {
			return ostiary.Proof{}, err
		}
	}
	return ostiary.Proof{UserID: u.ID, AMR: []string{"pwd"}, Epoch: u.Epoch}, nil
}

// remind sends the link again to somebody who has the right password but never confirmed the address. The engine is about
// to refuse the sign-in.
func (m *Method) remind(ctx context.Context, c *ostiary.Call, u ostiary.User, keep string) error {
	may, err := m.mayMail(ctx, u.Email)
	if err != nil || !may {
		return err
	}
	return m.kit.Do(ctx, c, func(t *ostiary.Tx) error { return m.askToVerify(ctx, t, u, keep) })
}
