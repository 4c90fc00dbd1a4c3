package password

import (
	"context"
	"strings"
	"time"

	"github.com/ostiary/ostiary"
)

// setupTTL is how long the link to the first administrator works (R36).
const setupTTL = time.Hour

type setupInput struct {
	ostiary.Deliver
	Token    string `json:"token"`
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name,omitempty"`
}

// SetupSecret issues the token of the link that creates the first administrator, good for an hour. forbidden once there
// was one.
func (m *Method) SetupSecret(ctx context.Context) (string, error) {
	if err := m.setupOpen(ctx); err != nil {
		return "", err
	}
	return m.kit.Tickets.Issue(ctx, kindSetup, "", setupTTL, struct{}{})
}

func (m *Method) setupOpen(ctx context.Context) error {
	open, err := m.kit.SetupOpen(ctx)
	if err == nil && !open {
		return errSetupDone
	}
	return err
}

// setup creates the first administrator; the engine lets exactly one through. The operator typed the address, so it counts
// as verified.
func (m *Method) setup(ctx context.Context, c *ostiary.Call, in *setupInput) (ostiary.Proof, error) {
	if err := m.setupOpen(ctx); err != nil {
		return ostiary.Proof{}, err
	}
	if _, err := m.kit.Tickets.Peek(ctx, kindSetup, in.Token, nil); err != nil {
		return ostiary.Proof{}, err
	}
	who := ostiary.NewUser{Email: strings.TrimSpace(in.Email), Name: strings.TrimSpace(in.Name), EmailVerified: true}
	if err := who.Check(); err != nil {
		return ostiary.Proof{}, err
	}
	normal, err := m.judge(ctx, "body.password", in.Password, who.Email, who.Name)
	if err != nil {
		return ostiary.Proof{}, err
	}
	hash, err := m.hash(ctx, c, normal)
	if err != nil {
		return ostiary.Proof{}, err
	}
	var userID string
	err = m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if _, err := t.Tickets.Redeem(ctx, kindSetup, in.Token, nil); err != nil {
			return err
		}
		u, err := t.CreateUser(ctx, who)
		if err != nil {
			return err
		}
		userID = u.ID
		if err := put(ctx, t.Credentials, ostiary.Credential{}, u.ID, hash); err != nil {
			return err
		}
		return t.FirstAdmin(ctx, u.ID)
	})
	return ostiary.Proof{UserID: userID, AMR: []string{"pwd"}}, err
}
