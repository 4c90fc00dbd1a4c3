package apikey

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/ostiary/ostiary"
)

// The permissions of the administrators' routes.
const (
	ReadKeys  = "apikeys:read"
	WriteKeys = "apikeys:write"
)

const adminPrefix = "/api/v1/admin"

func (p *Part) adminRoutes() []ostiary.Route {
	lately := ostiary.Fresh(time.Hour)
	see, change := []ostiary.Check{ostiary.Permission(ReadKeys)}, []ostiary.Check{ostiary.Permission(WriteKeys), lately}
	return []ostiary.Route{
		{
			Name: "admin.services.create", Pattern: "POST " + adminPrefix + "/service-accounts", Status: http.StatusCreated,
			Need:  []ostiary.Check{ostiary.Permission("users:write"), ostiary.Permission("roles:assign"), lately},
			Serve: ostiary.JSON(p.createService), Doc: "Adds an account for a machine: nobody can sign in to it, and only keys act for it.",
		},
		{
			Name: "admin.apikeys.list", Pattern: "GET " + adminPrefix + "/users/{id}/api-keys", Need: see, Serve: ostiary.JSON(p.listOf),
			Doc: "Lists the API keys of a person or service account.",
		},
		{
			Name: "admin.apikeys.create", Pattern: "POST " + adminPrefix + "/users/{id}/api-keys", Need: change, Status: http.StatusCreated,
			Serve: ostiary.JSON(p.createFor), Doc: "Makes an API key for a service account, and shows it this once.",
		},
		{
			Name: "admin.apikeys.delete", Pattern: "DELETE " + adminPrefix + "/users/{id}/api-keys/{key}", Need: change,
			Serve: ostiary.JSON(p.removeOf), Doc: "Deletes an API key of anybody: it stops working at once.",
		},
	}
}

// Service is an account for a machine that is to be made.
type Service struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles,omitempty"`
}

// CreateService adds an account without an address: nobody can sign in to it. It cannot be an administrator, who would
// count as one who can get in (R31).
func (p *Part) CreateService(ctx context.Context, t *ostiary.AdminTx, s Service) (ostiary.User, error) {
	if s.Name == "" {
		return ostiary.User{}, errMalformed.At("body.name", "must say what the account is for")
	}
	if slices.Contains(s.Roles, ostiary.RoleAdmin) {
		return ostiary.User{}, errMalformed.At("body.roles", "may not hold admin: no key reaches the routes of administrators")
	}
	return t.CreateUser(ctx, ostiary.NewUser{Name: s.Name}, s.Roles)
}

func (p *Part) createService(ctx context.Context, c *ostiary.Call, in *Service) (u ostiary.User, err error) {
	err = p.engine.Administer(ctx, c, func(t *ostiary.AdminTx) error {
		u, err = p.CreateService(ctx, t, *in)
		return err
	})
	return u, err
}

func (p *Part) listOf(ctx context.Context, _ *ostiary.Call, in *idInput) (Keys, error) {
	if _, err := p.engine.User(ctx, in.ID); err != nil {
		return Keys{}, ostiary.Found(err)
	}
	keys, err := p.List(ctx, in.ID)
	return Keys{keys}, err
}

type createForInput struct {
	ID string `path:"id"`
	Wish
}

func (p *Part) createFor(ctx context.Context, c *ostiary.Call, in *createForInput) (k NewKey, err error) {
	err = p.engine.Administer(ctx, c, func(t *ostiary.AdminTx) error {
		if err := p.service(ctx, t, in.ID); err != nil {
			return err
		}
		k, err = p.Create(ctx, t.Tx, in.ID, in.Wish)
		return err
	})
	return k, ostiary.Found(err)
}

// service says whether an account is one that nobody signs in to, and within the caller's reach: a key acts with all that
// the account may do.
func (p *Part) service(ctx context.Context, t *ostiary.AdminTx, id string) error {
	u, err := t.Reach(ctx, id)
	if err != nil {
		return err
	}
	methods, err := t.Methods(ctx, id)
	if err != nil {
		return err
	}
	own := slices.ContainsFunc(methods, func(m string) bool { return m != p.Name() })
	if u.Email != "" || own {
		return errService
	}
	return nil
}

type keyInput struct {
	ID  string `path:"id"`
	Key string `path:"key"`
}

func (p *Part) removeOf(ctx context.Context, c *ostiary.Call, in *keyInput) (ostiary.None, error) {
	return ostiary.None{}, ostiary.Found(p.engine.Administer(ctx, c, func(t *ostiary.AdminTx) error {
		if _, err := t.Reach(ctx, in.ID); err != nil {
			return err
		}
		return p.Revoke(ctx, t.Tx, in.ID, in.Key)
	}))
}
