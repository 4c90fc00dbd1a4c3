package password_test

import (
	"context"

	"github.com/ostiary/ostiary"
)

// knock lets in whoever names an address or an ID: it stands for the other ways to sign in.
type knock struct{ kit *ostiary.Kit }

type knockInput struct {
	ostiary.Deliver
	Email string `json:"email,omitempty"`
	ID    string `json:"id,omitempty"`
}

func (k *knock) Name() string { return "knock" }

func (k *knock) Routes(kit *ostiary.Kit) ([]ostiary.Route, error) {
	k.kit = kit
	return []ostiary.Route{{Name: "knock", Pattern: "POST /api/v1/knock", Access: ostiary.Public, Serve: ostiary.Prove(k.enter)}}, nil
}

func (k *knock) enter(ctx context.Context, _ *ostiary.Call, in *knockInput) (ostiary.Proof, error) {
	if in.ID != "" {
		return ostiary.Proof{UserID: in.ID, AMR: []string{"knock"}}, nil
	}
	u, err := k.kit.UserByEmail(ctx, in.Email)
	return ostiary.Proof{UserID: u.ID, AMR: []string{"knock"}}, err
}
