package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/list"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// rotations bounds how fast keys are made: a few are all that anybody needs, and each stays published for a while.
func rotations() store.Rate { return store.Rate{Burst: 5, Every: 5 * time.Minute} }

func (p *Part) keyRoutes() []ostiary.Route {
	return []ostiary.Route{
		{
			Name: "admin.keys.list", Pattern: "GET " + prefix + "/keys", Need: read(ReadKeys), Serve: ostiary.JSON(p.listKeys),
			Doc: "Lists the signing keys, in the order in which they sign.",
		},
		{
			Name: "admin.keys.rotate", Pattern: "POST " + prefix + "/keys/rotate", Need: change(WriteKeys), Rate: rotations(),
			Status: http.StatusCreated, Serve: ostiary.JSON(p.rotateKey), Doc: "Makes a new signing key. It signs once every cached key set knows it.",
		},
		{
			Name: "admin.keys.revoke", Pattern: "DELETE " + prefix + "/keys/{kid}", Need: change(WriteKeys), Serve: ostiary.JSON(p.revokeKey),
			Doc: "Kills a signing key and every token that it signed. Only for a key that was stolen.",
		},
	}
}

// Key is a signing key, without its private half. Times that are not known yet are left out.
type Key struct {
	KeyID       string     `json:"kid"`
	Alg         token.Alg  `json:"alg"`
	State       string     `json:"state" jsonschema:"next: published, does not sign yet. current: signs. retired: published until its last token has expired."`
	PublishedAt *time.Time `json:"published_at,omitempty"`
	SignsFrom   *time.Time `json:"signs_from,omitempty"`
	SignsUntil  *time.Time `json:"signs_until,omitempty"`
	RemovedAt   *time.Time `json:"removed_at,omitempty"`
}

func (p *Part) showKey(k token.Key) Key {
	return Key{
		KeyID: k.ID, Alg: k.Alg, State: stateOf(k, p.engine.Now()),
		PublishedAt: known(k.Publish), SignsFrom: known(k.Sign), SignsUntil: known(k.Retire), RemovedAt: known(k.Remove),
	}
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func stateOf(k token.Key, now time.Time) string {
	switch {
	case now.Before(k.Sign):
		return "next"
	case !k.Retire.IsZero() && !now.Before(k.Retire):
		return "retired"
	}
	return "current"
}

// listKeys needs no pages: there are at most a few dozen keys.
func (p *Part) listKeys(ctx context.Context, _ *ostiary.Call, _ *ostiary.None) (list.Answer[Key], error) {
	keys, err := p.engine.Keys(ctx)
	if err != nil {
		return list.Answer[Key]{}, err
	}
	return list.Page(keys, len(keys), func(k token.Key) string { return k.ID }, p.showKey), nil
}

func (p *Part) rotateKey(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (Key, error) {
	k, err := p.engine.RotateKey(ctx, c)
	return p.showKey(k), err
}

type kidInput struct {
	KeyID string `path:"kid"`
}

func (p *Part) revokeKey(ctx context.Context, c *ostiary.Call, in *kidInput) (ostiary.None, error) {
	return ostiary.None{}, ostiary.Found(p.engine.RevokeKey(ctx, c, in.KeyID))
}
