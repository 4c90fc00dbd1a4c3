package apikey

import (
	"context"
	"net/http"
	"time"

	"github.com/ostiary/ostiary"
)

// ownRoutes are those of a person for his own keys. None declares a scope: no key makes or ends a key.
func (p *Part) ownRoutes() []ostiary.Route {
	need := []ostiary.Check{fresh}
	return []ostiary.Route{
		{
			Name: "apikeys.list", Pattern: "GET /api/v1/api-keys", Serve: ostiary.JSON(p.list),
			Doc: "Lists one's own API keys.",
		},
		{
			Name: "apikeys.create", Pattern: "POST /api/v1/api-keys", Need: need, Status: http.StatusCreated, Serve: ostiary.JSON(p.create),
			Doc: "Makes an API key, and shows it this once.",
		},
		{
			Name: "apikeys.delete", Pattern: "DELETE /api/v1/api-keys/{id}", Need: need, Serve: ostiary.JSON(p.remove),
			Doc: "Deletes an API key: it stops working at once.",
		},
		{
			Name: "apikeys.rotate", Pattern: "POST /api/v1/api-keys/{id}/rotate", Need: need, Status: http.StatusCreated, Serve: ostiary.JSON(p.renew),
			Doc: "Makes a key in place of another one, which goes on working for the overlap: 24h unless something else is said.",
		},
		{
			Name: "apikeys.confirm", Pattern: "POST /api/v1/api-keys/{id}/confirm", Need: need, Serve: ostiary.JSON(p.approve),
			Doc: "Lets a key work again that was suspended when the password was reset.",
		},
	}
}

// Keys is the answer of a list; one owner has no more than fit on a page.
type Keys struct {
	Items []Key `json:"items"`
}

func (p *Part) list(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (Keys, error) {
	keys, err := p.List(ctx, c.Principal.User.ID)
	return Keys{keys}, err
}

func (p *Part) create(ctx context.Context, c *ostiary.Call, in *Wish) (k NewKey, err error) {
	err = p.engine.Do(ctx, c, func(t *ostiary.Tx) error {
		k, err = p.Create(ctx, t, c.Principal.User.ID, *in)
		return err
	})
	return k, err
}

type idInput struct {
	ID string `path:"id"`
}

func (p *Part) remove(ctx context.Context, c *ostiary.Call, in *idInput) (ostiary.None, error) {
	return ostiary.None{}, p.engine.Do(ctx, c, func(t *ostiary.Tx) error { return p.Revoke(ctx, t, c.Principal.User.ID, in.ID) })
}

func (p *Part) approve(ctx context.Context, c *ostiary.Call, in *idInput) (ostiary.None, error) {
	return ostiary.None{}, p.engine.Do(ctx, c, func(t *ostiary.Tx) error { return p.confirm(ctx, t, c.Principal.User.ID, in.ID) })
}

type rotateInput struct {
	ID      string `path:"id"`
	Overlap string `json:"overlap,omitempty" jsonschema:"How long the old key goes on working: 0s to 720h."`
}

func (p *Part) renew(ctx context.Context, c *ostiary.Call, in *rotateInput) (k NewKey, err error) {
	overlap := 24 * time.Hour
	if in.Overlap != "" {
		if overlap, err = time.ParseDuration(in.Overlap); err != nil || overlap < 0 || overlap > maxOverlap {
			return k, errMalformed.At("body.overlap", "must be a duration from 0s to 720h, like 24h")
		}
	}
	err = p.engine.Do(ctx, c, func(t *ostiary.Tx) error {
		k, err = p.rotate(ctx, t, c.Principal.User.ID, in.ID, overlap)
		return err
	})
	return k, err
}
