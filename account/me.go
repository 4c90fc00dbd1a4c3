package account

import (
	"context"

	"github.com/ostiary/ostiary"
)

// get answers from what the engine knows of the caller; it reads nothing else, so it can be the one route that a machine
// with an API key of the person may call.
func (p *Part) get(_ context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.User, error) {
	return *c.Principal.User, nil
}

func (p *Part) update(ctx context.Context, c *ostiary.Call, in *ostiary.Profile) (ostiary.User, error) {
	id := c.Principal.User.ID
	if *in == (ostiary.Profile{}) { // nothing is written when nothing changes
		return *c.Principal.User, nil
	}
	err := p.engine.Do(ctx, c, func(t *ostiary.Tx) error { return t.EditProfile(ctx, id, *in) })
	if err != nil {
		return ostiary.User{}, ostiary.Found(err)
	}
	u, err := p.engine.User(ctx, id)
	return u, ostiary.Found(err)
}

func (p *Part) remove(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	err := p.engine.Administer(ctx, c, func(t *ostiary.AdminTx) error { return t.DeleteUser(ctx, c.Principal.User.ID) })
	return ostiary.None{}, ostiary.Found(err)
}

func (p *Part) export(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (map[string]any, error) {
	all, err := p.engine.Export(ctx, c.Principal.User.ID)
	return all, ostiary.Found(err)
}
