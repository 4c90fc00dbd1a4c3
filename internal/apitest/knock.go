package apitest

import (
	"context"

	"github.com/ostiary/ostiary"
)

// Knock is the simplest method there can be: whoever names an address is let in.
type Knock struct{ kit *ostiary.Kit }

type knockInput struct {
	ostiary.Deliver
	Email string `json:"email"`
}

// Name is "knock".
func (k *Knock) Name() string { return "knock" }

// Routes returns the one route.
func (k *Knock) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	k.kit = kit
	return []ostiary.Route{{Name: "knock", Pattern: "POST /api/v1/knock", Access: ostiary.Public, Serve: ostiary.Prove(k.enter), Doc: "Lets in."}}, nil
}

func (k *Knock) enter(ctx context.Context, c *ostiary.Call, in *knockInput) (ostiary.Proof, error) {
	u, err := k.kit.UserByEmail(ctx, in.Email)
	if err != nil {
		err = k.kit.Do(ctx, c, func(t *ostiary.Tx) error {
			u, err = t.CreateUser(ctx, ostiary.NewUser{Email: in.Email})
			return err
		})
	}
	return ostiary.Proof{UserID: u.ID, AMR: []string{"knock"}}, err
}
