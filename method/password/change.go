package password

import (
	"context"
	"time"

	"github.com/ostiary/ostiary"
)

// fresh is how recent a sign-in must be to do without the current password.
const fresh = ostiary.Fresh(10 * time.Minute)

type changeInput struct {
	CurrentPassword string `json:"current_password,omitempty"` // not needed by somebody who has none
	NewPassword     string `json:"new_password"`
}

// change replaces one's own password. Somebody who has none yet, because he signs in by other means, sets one with a fresh
// proof.
func (m *Method) change(ctx context.Context, c *ostiary.Call, in *changeInput) (ostiary.None, error) {
	u, err := m.caller(ctx, c)
	if err != nil {
		return ostiary.None{}, err
	}
	cred, ok, err := stored(ctx, m.kit.Credentials, u.ID)
	if err != nil {
		return ostiary.None{}, err
	}
	if !ok || u.MFA { // where there is a second factor, the password alone proves too little (R28)
		if err := m.kit.Demand(c, fresh); err != nil {
			return ostiary.None{}, err
		}
	}
	if ok {
		if cred, err = m.confirm(ctx, c, u.ID, in.CurrentPassword); err != nil {
			return ostiary.None{}, err
		}
	}
	normal, err := m.judge(ctx, "body.new_password", in.NewPassword, u.Email, u.Name)
	if err != nil {
		return ostiary.None{}, err
	}
	hash, err := m.hash(ctx, c, normal)
	if err != nil {
		return ostiary.None{}, err
	}
	return ostiary.None{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if err := unchanged(ctx, t, u.ID, cred); err != nil {
			return err
		}
		if err := put(ctx, t.Credentials, cred, u.ID, hash); err != nil {
			return err
		}
		return m.replaced(ctx, t, t.Tickets, u, "password.changed")
	})
}

// caller reads who is signed in, as he is now.
func (m *Method) caller(ctx context.Context, c *ostiary.Call) (ostiary.User, error) {
	if c.Principal == nil || c.Principal.User == nil {
		return ostiary.User{}, errSignedOut
	}
	return m.kit.User(ctx, c.Principal.User.ID)
}

// unchanged refuses when the password is not the one that was looked at before the transaction.
func unchanged(ctx context.Context, t *ostiary.Tx, userID string, before ostiary.Credential) error {
	now, _, err := stored(ctx, t.Credentials, userID)
	if err != nil {
		return err
	}
	if now.ID != before.ID || now.Version != before.Version {
		return errConflict
	}
	return nil
}

func active(u ostiary.User) bool { return u.Status == "active" }
