package daemon

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/server"
	"github.com/ostiary/ostiary/store"
)

type rolesCommand struct {
	List   rolesList   `cmd:"" help:"List the roles."`
	Create rolesCreate `cmd:"" aliases:"put" help:"Create a role, or replace the one of that name."`
	Show   rolesShow   `cmd:"" help:"Show a role."`
	Delete rolesDelete `cmd:"" help:"Delete a role. People who have it lose what it grants."`
}

func showRole(e *ostiary.Engine, r authz.Role) admin.Role {
	return admin.Role{
		Name: r.Name, Description: r.Description, Permissions: append([]string{}, r.Permissions...),
		Inherits: append([]string{}, r.Inherits...), BuiltIn: e.FixedRole(r.Name),
	}
}

func findRole(e *ostiary.Engine, name string) (admin.Role, error) {
	roles := e.Roles()
	i := slices.IndexFunc(roles, func(r authz.Role) bool { return r.Name == name })
	if i < 0 {
		return admin.Role{}, fmt.Errorf("there is no role %q", name)
	}
	return showRole(e, roles[i]), nil
}

type rolesList struct{}

func (rolesList) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		found := list[admin.Role]{Items: []admin.Role{}}
		var rows [][]string
		for _, r := range e.Roles() {
			found.Items = append(found.Items, showRole(e, r))
			rows = append(rows, []string{r.Name, strings.Join(r.Permissions, ","), strings.Join(r.Inherits, ","), r.Description})
		}
		if a.json {
			return a.print(found)
		}
		return a.table([]string{"ROLE", "PERMISSIONS", "INHERITS", "DESCRIPTION"}, rows)
	})
}

type rolesCreate struct {
	Name        string   `arg:"" help:"Name: a-z, 0-9, _, . and -."`
	Permission  []string `placeholder:"PERMISSION,…" help:"What it grants: posts:read, posts:*, posts:update:own. May be given several times."`
	Inherits    []string `placeholder:"ROLE,…" help:"Roles whose permissions it has, too."`
	Description string   `placeholder:"TEXT" help:"What it is for."`
}

func (p rolesCreate) Run(a *app) error {
	role := authz.Role{Name: p.Name, Description: p.Description, Permissions: p.Permission, Inherits: p.Inherits}
	return a.open(func(_ *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		if err := e.Administer(a, c, func(t *ostiary.AdminTx) error { return t.PutRole(a, role) }); err != nil {
			return err
		}
		if a.json {
			return a.print(showRole(e, role))
		}
		a.say("Saved the role %s", p.Name)
		return nil
	})
}

type rolesShow struct {
	Name string `arg:"" help:"Name of the role."`
}

func (p rolesShow) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		r, err := findRole(e, p.Name)
		if err != nil {
			return err
		}
		if a.json {
			return a.print(r)
		}
		return a.fields("role", r.Name, "description", r.Description, "permissions", strings.Join(r.Permissions, ", "),
			"inherits", strings.Join(r.Inherits, ", "))
	})
}

type rolesDelete struct {
	Name string `arg:"" help:"Name of the role."`
}

func (p rolesDelete) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		err := e.Administer(a, c, func(t *ostiary.AdminTx) error { return t.DeleteRole(a, p.Name) })
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no role %q", p.Name)
		}
		if err != nil {
			return err
		}
		if a.json {
			return a.print(map[string]string{"deleted": p.Name})
		}
		a.say("Deleted the role %s", p.Name)
		return nil
	})
}
