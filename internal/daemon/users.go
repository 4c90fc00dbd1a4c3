package daemon

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/server"
	"github.com/ostiary/ostiary/store"
)

type usersCommand struct {
	Create      usersCreate      `cmd:"" help:"Create a person."`
	List        usersList        `cmd:"" help:"List people."`
	Show        usersShow        `cmd:"" help:"Show one person."`
	Disable     usersDisable     `cmd:"" help:"Disable a person: every session and token ends at once."`
	Enable      usersEnable      `cmd:"" help:"Let a disabled person sign in again."`
	Unlock      usersUnlock      `cmd:"" help:"Forget the wrong passwords and codes that were counted for a person."`
	Delete      usersDelete      `cmd:"" help:"Delete a person with everything that hangs on the account, for good."`
	SetPassword usersSetPassword `cmd:"" name:"set-password" help:"Give a person a new password, which signs the person out everywhere."`
	ResetMFA    usersResetMFA    `cmd:"" name:"reset-mfa" help:"Remove all second factors of a person who lost them, backup codes and trusted devices included."`
	Roles       usersRoles       `cmd:"" help:"Show or change a person's roles."`
}

// whom is the argument that names a person.
type whom struct {
	Person string `arg:"" help:"ID or e-mail address."`
}

// find looks a person up.
func (p whom) find(a *app, e *ostiary.Engine) (ostiary.User, error) {
	look := e.User
	if strings.Contains(p.Person, "@") {
		look = e.UserByEmail
	}
	u, err := look(a, p.Person)
	if errors.Is(err, store.ErrNotFound) {
		return u, fmt.Errorf("there is no person %q", p.Person)
	}
	return u, err
}

// change finds a person, changes something, and answers what the person is then.
func (p whom) change(a *app, done string, change func(t *ostiary.AdminTx, u ostiary.User) error) error {
	return a.open(func(s *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		if err := e.Administer(a, c, func(t *ostiary.AdminTx) error { return change(t, u) }); err != nil {
			return err
		}
		if err := s.TidySetup(a); err != nil {
			return err
		}
		after, err := e.User(a, u.ID)
		if err != nil {
			return err
		}
		if a.json {
			return a.print(after)
		}
		a.say(done, name(u))
		return nil
	})
}

// name is how a person is called in a sentence.
func name(u ostiary.User) string {
	if u.Email != "" {
		return u.Email
	}
	return u.ID
}

type usersCreate struct {
	Email string   `required:"" placeholder:"ADDRESS" help:"E-mail address; it counts as verified."`
	Name  string   `placeholder:"NAME" help:"Name."`
	Role  []string `placeholder:"ROLE" help:"Role of the person; may be given several times. The role admin may do everything."`
	passwordFile
}

// created is a new person, with the password if nobody knows it yet.
type created struct {
	ostiary.User
	Password string `json:"password,omitempty"`
}

// Run creates the data first where there is none: a machine may be provisioned before the server first runs.
func (p usersCreate) Run(a *app) error {
	text, generated, err := p.read(a)
	if err != nil {
		return err
	}
	if _, err := server.Migrate(a, a.settings); err != nil {
		return err
	}
	var out created
	err = a.open(func(s *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		hash, err := s.Passwords().Prepare(a, text, p.Email, p.Name)
		if err != nil {
			return err
		}
		err = e.Administer(a, c, func(t *ostiary.AdminTx) error {
			person := ostiary.NewUser{Email: p.Email, Name: p.Name, EmailVerified: true}
			if out.User, err = t.CreateUser(a, person, p.Role); err != nil {
				return err
			}
			return s.Passwords().Put(a, t.Tx, out.ID, hash)
		})
		if err != nil {
			return err
		}
		return s.TidySetup(a)
	})
	if err != nil {
		return err
	}
	if generated {
		out.Password = text
	}
	if a.json {
		return a.print(out)
	}
	a.say("Created %s (%s)", name(out.User), out.ID)
	a.tellPassword(out.Password)
	return nil
}

type usersList struct {
	Search string `placeholder:"TEXT" help:"Only whose address or name contains this."`
	Role   string `placeholder:"ROLE" help:"Only who has this role."`
	Status string `placeholder:"STATUS" help:"Only active or disabled people."`
	Limit  int    `default:"100" placeholder:"N" help:"At most so many, 1 to 999. Default 100."`
	After  string `placeholder:"ID" help:"Go on after this person."`
}

func (p usersList) Run(a *app) error {
	if err := checkLimit(p.Limit); err != nil {
		return err
	}
	if p.Status != "" && p.Status != string(store.Active) && p.Status != string(store.Disabled) {
		return usagef("--status: %q is none of active, disabled", p.Status)
	}
	return a.open(func(_ *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		people, err := e.Users(a, store.UserQuery{
			After: p.After, Limit: p.Limit + 1, Search: p.Search, Role: p.Role, Status: store.Status(p.Status),
		})
		if err != nil {
			return err
		}
		found := page(people, p.Limit, func(u ostiary.User) string { return u.ID })
		if a.json {
			return a.print(found)
		}
		rows := make([][]string, 0, len(found.Items))
		for _, u := range found.Items {
			rows = append(rows, []string{u.ID, u.Email, u.Name, strings.Join(u.Roles, ","), u.Status, when(u.CreatedAt)})
		}
		a.more("--after", found.Next)
		return a.table([]string{"ID", "ADDRESS", "NAME", "ROLES", "STATUS", "CREATED"}, rows)
	})
}

func checkLimit(n int) error {
	if n < 1 || n > 999 {
		return usagef("--limit: %d is outside 1 to 999", n)
	}
	return nil
}

type usersShow struct{ whom }

func (p usersShow) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		if a.json {
			return a.print(u)
		}
		methods, err := e.Methods(a, u.ID)
		if err != nil {
			return err
		}
		return a.fields("ID", u.ID, "address", u.Email, "verified", strconv.FormatBool(u.EmailVerified), "name", u.Name,
			"status", u.Status, "roles", strings.Join(u.Roles, ", "), "signs in by", strings.Join(methods, ", "),
			"second factor", strconv.FormatBool(u.MFA), "locale", u.Locale, "created", when(u.CreatedAt))
	})
}

type usersDisable struct{ whom }

func (p usersDisable) Run(a *app) error {
	return p.change(a, "Disabled %s", func(t *ostiary.AdminTx, u ostiary.User) error { return t.SetStatus(a, u.ID, store.Disabled) })
}

type usersEnable struct{ whom }

func (p usersEnable) Run(a *app) error {
	return p.change(a, "Enabled %s", func(t *ostiary.AdminTx, u ostiary.User) error { return t.SetStatus(a, u.ID, store.Active) })
}

type usersUnlock struct{ whom }

func (p usersUnlock) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		if err := e.Unlock(a, c, u.ID); err != nil {
			return err
		}
		if a.json {
			return a.print(map[string]string{"unlocked": u.ID})
		}
		a.say("Unlocked %s", name(u))
		return nil
	})
}

type usersDelete struct{ whom }

func (p usersDelete) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		if err := e.Administer(a, c, func(t *ostiary.AdminTx) error { return t.DeleteUser(a, u.ID) }); err != nil {
			return err
		}
		if a.json {
			return a.print(map[string]string{"deleted": u.ID})
		}
		a.say("Deleted %s", name(u))
		return nil
	})
}

type usersResetMFA struct{ whom }

func (p usersResetMFA) Run(a *app) error {
	return p.change(a, "Removed the second factors of %s", func(t *ostiary.AdminTx, u ostiary.User) error { return t.ResetFactors(a, u.ID) })
}

type usersRoles struct {
	whom
	Add    []string `placeholder:"ROLE,…" help:"Give roles."`
	Remove []string `placeholder:"ROLE,…" help:"Take roles away."`
}

func (p usersRoles) Run(a *app) error {
	if len(p.Add)+len(p.Remove) > 0 {
		return p.change(a, "Changed the roles of %s", func(t *ostiary.AdminTx, u ostiary.User) error {
			roles := slices.DeleteFunc(append(u.Roles[:len(u.Roles):len(u.Roles)], p.Add...), func(r string) bool { return slices.Contains(p.Remove, r) })
			return t.SetRoles(a, u.ID, roles)
		})
	}
	return a.open(func(_ *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		if a.json {
			return a.print(list[string]{Items: u.Roles})
		}
		for _, r := range u.Roles {
			a.say("%s", r)
		}
		return nil
	})
}
