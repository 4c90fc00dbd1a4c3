package admin

import (
	"context"
	"net/http"
	"unicode/utf8"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/list"
	"github.com/ostiary/ostiary/store"
)

const maxSearch = 200 // characters

func (p *Part) userRoutes() []ostiary.Route {
	return []ostiary.Route{
		{
			Name: "admin.users.list", Pattern: "GET " + prefix + "/users", Need: read(ReadUsers), Serve: ostiary.JSON(p.listUsers),
			Doc: "Lists people, in the order in which they came.",
		},
		{
			Name: "admin.users.create", Pattern: "POST " + prefix + "/users", Need: change(WriteUsers), Status: http.StatusCreated,
			Serve: ostiary.JSON(p.createUser), Doc: "Adds a person, also while sign-up is closed. The address counts as unverified.",
		},
		{
			Name: "admin.users.get", Pattern: "GET " + prefix + "/users/{id}", Need: read(ReadUsers), Serve: ostiary.JSON(p.getUser),
			Doc: "Returns a person.",
		},
		{
			Name: "admin.users.update", Pattern: "PATCH " + prefix + "/users/{id}", Need: change(WriteUsers), Serve: ostiary.JSON(p.updateUser),
			Doc: "Changes status, name or, with roles:assign, roles, all or nothing. What is left out or null stays as it is.",
		},
		{
			Name: "admin.users.delete", Pattern: "DELETE " + prefix + "/users/{id}", Need: change(DeleteUsers), Serve: ostiary.JSON(p.deleteUser),
			Doc: "Deletes a person with everything that hangs on him, for good.",
		},
		{
			Name: "admin.users.unlock", Pattern: "POST " + prefix + "/users/{id}/unlock", Need: change(WriteUsers), Serve: ostiary.JSON(p.unlockUser),
			Doc: "Forgets the wrong passwords and codes that were counted for a person, so that nobody has to wait for them.",
		},
		{
			Name: "admin.users.reset-mfa", Pattern: "POST " + prefix + "/users/{id}/reset-mfa", Need: change(WriteUsers), Serve: ostiary.JSON(p.resetFactors),
			Doc: "Removes all second factors of a person who lost them, with backup codes and trusted devices. The person is told by mail.",
		},
	}
}

type usersInput struct {
	list.Query
	Search string       `query:"search" jsonschema:"Part of the address or the name."`
	Role   string       `query:"role" jsonschema:"Only people with this role."`
	Status store.Status `query:"status" jsonschema:"Only active or only disabled people."`
}

func (p *Part) listUsers(ctx context.Context, _ *ostiary.Call, in *usersInput) (list.Answer[ostiary.User], error) {
	none := list.Answer[ostiary.User]{}
	size, err := in.Size()
	if err != nil {
		return none, err
	}
	after, err := in.AfterID()
	if err != nil {
		return none, err
	}
	switch {
	case utf8.RuneCountInString(in.Search) > maxSearch:
		return none, list.Wrong("query.search", "must be at most 200 characters")
	case in.Role != "" && authz.ValidRole(in.Role) != nil:
		return none, list.Wrong("query.role", "must be the name of a role")
	case in.Status != "" && in.Status != store.Active && in.Status != store.Disabled:
		return none, list.Wrong("query.status", "must be active or disabled")
	}
	rows, err := p.engine.Users(ctx, store.UserQuery{After: after, Limit: size + 1, Search: lowerASCII(in.Search), Role: in.Role, Status: in.Status})
	if err != nil {
		return none, err
	}
	return list.Page(rows, size, func(u ostiary.User) string { return u.ID }, func(u ostiary.User) ostiary.User { return u }), nil
}

// lowerASCII is how addresses are kept; in names the store pays no regard to ASCII case.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

type idInput struct {
	ID string `path:"id"`
}

func (p *Part) getUser(ctx context.Context, _ *ostiary.Call, in *idInput) (ostiary.User, error) {
	u, err := p.engine.User(ctx, in.ID)
	return u, ostiary.Found(err)
}

type createInput struct {
	Email    string   `json:"email"`
	Name     string   `json:"name,omitempty"`
	Roles    []string `json:"roles,omitempty"`
	Password string   `json:"password,omitempty"`
}

func (p *Part) createUser(ctx context.Context, c *ostiary.Call, in *createInput) (ostiary.User, error) {
	if len(in.Roles) > 0 {
		if err := p.mayAssign(c); err != nil {
			return ostiary.User{}, err
		}
	}
	normal, err := p.engine.NormalEmail(in.Email)
	if err != nil {
		return ostiary.User{}, err
	}
	hash, err := p.prepare(ctx, in, normal)
	if err != nil {
		return ostiary.User{}, err
	}
	var u ostiary.User
	err = p.administer(ctx, c, func(t *ostiary.AdminTx) error {
		if u, err = t.CreateUser(ctx, ostiary.NewUser{Email: in.Email, Name: in.Name}, in.Roles); err != nil || hash == "" {
			return err
		}
		return p.cfg.Passwords.Put(ctx, t.Tx, u.ID, hash)
	})
	return u, err
}

// prepare hashes the password of a new person, before the transaction: hashing is slow.
func (p *Part) prepare(ctx context.Context, in *createInput, normal string) (string, error) {
	if in.Password == "" {
		return "", nil
	}
	if p.cfg.Passwords == nil {
		return "", list.Wrong("body.password", "cannot be given: this server has no passwords")
	}
	return p.cfg.Passwords.Prepare(ctx, in.Password, normal, in.Name)
}

type updateInput struct {
	ID     string        `path:"id"`
	Status *store.Status `json:"status,omitempty"`
	Roles  *[]string     `json:"roles,omitempty"`
	Name   *string       `json:"name,omitempty"`
}

// mayAssign asks for the permission that roles need beside [WriteUsers].
func (p *Part) mayAssign(c *ostiary.Call) error {
	return p.engine.Demand(c, ostiary.Permission(AssignRoles))
}

func (p *Part) updateUser(ctx context.Context, c *ostiary.Call, in *updateInput) (ostiary.User, error) {
	if in.Roles != nil {
		if err := p.mayAssign(c); err != nil {
			return ostiary.User{}, err
		}
	}
	if err := p.administer(ctx, c, in.apply(ctx)); err != nil {
		return ostiary.User{}, err
	}
	u, err := p.engine.User(ctx, in.ID)
	return u, ostiary.Found(err)
}

// apply changes what was given, in one transaction.
func (in *updateInput) apply(ctx context.Context) func(t *ostiary.AdminTx) error {
	return func(t *ostiary.AdminTx) error {
		if in.Name != nil {
			if err := t.EditProfile(ctx, in.ID, ostiary.Profile{Name: in.Name}); err != nil {
				return err
			}
		}
		if in.Roles != nil {
			if err := t.SetRoles(ctx, in.ID, *in.Roles); err != nil {
				return err
			}
		}
		if in.Status != nil {
			return t.SetStatus(ctx, in.ID, *in.Status)
		}
		return nil
	}
}

func (p *Part) deleteUser(ctx context.Context, c *ostiary.Call, in *idInput) (ostiary.None, error) {
	return ostiary.None{}, p.administer(ctx, c, func(t *ostiary.AdminTx) error { return t.DeleteUser(ctx, in.ID) })
}

func (p *Part) unlockUser(ctx context.Context, c *ostiary.Call, in *idInput) (ostiary.None, error) {
	return ostiary.None{}, ostiary.Found(p.engine.Unlock(ctx, c, in.ID))
}

func (p *Part) resetFactors(ctx context.Context, c *ostiary.Call, in *idInput) (ostiary.None, error) {
	return ostiary.None{}, p.administer(ctx, c, func(t *ostiary.AdminTx) error { return t.ResetFactors(ctx, in.ID) })
}
