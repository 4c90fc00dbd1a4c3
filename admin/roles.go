package admin

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/list"
)

func (p *Part) roleRoutes() []ostiary.Route {
	return []ostiary.Route{
		{
			Name: "admin.roles.list", Pattern: "GET " + prefix + "/roles", Need: read(ReadRoles), Serve: ostiary.JSON(p.listRoles),
			Doc: "Lists all roles by name.",
		},
		{
			Name: "admin.roles.get", Pattern: "GET " + prefix + "/roles/{name}", Need: read(ReadRoles), Serve: ostiary.JSON(p.getRole),
			Doc: "Returns a role.",
		},
		{
			Name: "admin.roles.put", Pattern: "PUT " + prefix + "/roles/{name}", Need: change(WriteRoles), Serve: ostiary.JSON(p.putRole),
			MaxBody: 256 << 10, Doc: "Creates or replaces a role. Nobody can put more into a role than he has himself.",
		},
		{
			Name: "admin.roles.delete", Pattern: "DELETE " + prefix + "/roles/{name}", Need: change(WriteRoles), Serve: ostiary.JSON(p.deleteRole),
			Doc: "Deletes a role that nobody has and no other role inherits.",
		},
		{
			Name: "admin.permissions.list", Pattern: "GET " + prefix + "/permissions", Need: read(ReadRoles), Serve: ostiary.JSON(p.listPermissions),
			Doc: "Lists every permission pattern in use with the roles that grant it, themselves or by inheritance.",
		},
	}
}

// Role is a named set of permissions.
type Role struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"` // patterns: "posts:read", "posts:*", "posts:update:own"
	Inherits    []string `json:"inherits"`    // names of roles
	BuiltIn     bool     `json:"built_in"`    // fixed in code: cannot be changed
}

func (p *Part) showRole(r authz.Role) Role {
	return Role{
		Name: r.Name, Description: r.Description, Permissions: append([]string{}, r.Permissions...),
		Inherits: append([]string{}, r.Inherits...), BuiltIn: p.engine.FixedRole(r.Name),
	}
}

func (p *Part) listRoles(_ context.Context, _ *ostiary.Call, in *pageInput) (list.Answer[Role], error) {
	roles := p.engine.Roles()
	slices.SortFunc(roles, func(a, b authz.Role) int { return cmp.Compare(a.Name, b.Name) })
	return named(in, authz.ValidRole, roles, func(r authz.Role) string { return r.Name }, p.showRole)
}

type pageInput struct{ list.Query }

// named is a page of rows in order of their names; the cursor is one of them.
func named[R, T any](in *pageInput, valid func(string) error, rows []R, name func(R) string, show func(R) T) (list.Answer[T], error) {
	size, err := in.Size()
	if err != nil {
		return list.Answer[T]{}, err
	}
	if in.Cursor != "" && valid(in.Cursor) != nil {
		return list.Answer[T]{}, list.Wrong("query.cursor", "must be the next_cursor of an earlier answer")
	}
	from := slices.IndexFunc(rows, func(r R) bool { return name(r) > in.Cursor })
	if from < 0 {
		from = len(rows)
	}
	return list.Page(rows[from:], size, name, show), nil
}

type nameInput struct {
	Name string `path:"name"`
}

func (p *Part) getRole(_ context.Context, _ *ostiary.Call, in *nameInput) (Role, error) {
	for _, r := range p.engine.Roles() {
		if r.Name == in.Name {
			return p.showRole(r), nil
		}
	}
	return Role{}, ostiary.Fail(http.StatusNotFound, "not_found", "There is no such role.")
}

type roleInput struct {
	Path        string   `path:"name"`
	Name        string   `json:"name,omitempty" jsonschema:"May be repeated from the address; another name is refused."`
	Description string   `json:"description,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	Inherits    []string `json:"inherits,omitempty"`
}

func (p *Part) putRole(ctx context.Context, c *ostiary.Call, in *roleInput) (Role, error) {
	if in.Name != "" && in.Name != in.Path {
		return Role{}, list.Wrong("body.name", "must be the name in the address")
	}
	if err := authz.ValidRole(in.Path); err != nil {
		return Role{}, list.Wrong("path.name", "must be 1 to 64 of a-z, 0-9, _ . -, beginning with a letter or a digit")
	}
	r := authz.Role{Name: in.Path, Description: in.Description, Permissions: in.Permissions, Inherits: in.Inherits}
	err := p.administer(ctx, c, func(t *ostiary.AdminTx) error { return t.PutRole(ctx, r) })
	if err != nil {
		return Role{}, err
	}
	return p.showRole(r), nil
}

func (p *Part) deleteRole(ctx context.Context, c *ostiary.Call, in *nameInput) (ostiary.None, error) {
	return ostiary.None{}, p.administer(ctx, c, func(t *ostiary.AdminTx) error { return t.DeleteRole(ctx, in.Name) })
}

// Permission is a pattern and who grants it.
type Permission struct {
	Permission string   `json:"permission"`
	Roles      []string `json:"roles"`
}

func (p *Part) listPermissions(_ context.Context, _ *ostiary.Call, in *pageInput) (list.Answer[Permission], error) {
	roles := p.engine.Roles()
	policy, err := authz.Compile(roles)
	if err != nil {
		return list.Answer[Permission]{}, err
	}
	granted := map[string][]string{}
	for _, r := range roles {
		for _, pattern := range policy.Permissions([]string{r.Name}) {
			granted[pattern] = append(granted[pattern], r.Name)
		}
	}
	rows := make([]Permission, 0, len(granted))
	for pattern, names := range granted {
		slices.Sort(names)
		rows = append(rows, Permission{pattern, names})
	}
	slices.SortFunc(rows, func(a, b Permission) int { return cmp.Compare(a.Permission, b.Permission) })
	return named(in, authz.ValidPermission, rows, func(r Permission) string { return r.Permission }, func(r Permission) Permission { return r })
}
