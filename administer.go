package ostiary

import (
	"context"
	"errors"
	"slices"

	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/store"
)

// Administer runs changes that only administrators and the command line may make. The caller has checked that.
func (e *Engine) Administer(ctx context.Context, c *Call, fn func(t *AdminTx) error) error {
	return e.a.doFor(ctx, e.name, c, func(t *Tx) error { return fn(&AdminTx{t}) })
}

// AdminTx is a [Tx] with the verbs of an administrator. Whoever is calling over HTTP is held to what he has himself: see
// rights. The answer is then forbidden.
type AdminTx struct{ *Tx }

// CreateUser adds a person with roles, which the caller must be able to give.
func (t *AdminTx) CreateUser(ctx context.Context, n NewUser, roles []string) (User, error) {
	roles, err := t.a.checkRoleNames(roles)
	if err != nil {
		return User{}, err
	}
	r, err := t.rights(ctx)
	if err != nil {
		return User{}, err
	}
	if err := r.give(roles); err != nil {
		return User{}, err
	}
	if n.Email == "" && slices.Contains(roles, RoleAdmin) {
		return User{}, errNoAdmin
	}
	return t.createUser(ctx, n, roles)
}

// EditProfile changes a person's profile.
func (t *AdminTx) EditProfile(ctx context.Context, userID string, p Profile) error {
	if _, _, err := t.reach(ctx, userID); err != nil {
		return err
	}
	return t.Tx.EditProfile(ctx, userID, p)
}

// SetStatus disables or enables a person.
func (t *AdminTx) SetStatus(ctx context.Context, userID string, status store.Status) error {
	if _, _, err := t.reach(ctx, userID); err != nil {
		return err
	}
	return t.setStatus(ctx, userID, status)
}

// SetRoles replaces a person's roles. The caller must be able to give the ones that are new.
func (t *AdminTx) SetRoles(ctx context.Context, userID string, roles []string) error {
	r, u, err := t.reach(ctx, userID)
	if err != nil {
		return err
	}
	added := slices.DeleteFunc(slices.Clone(roles), func(name string) bool { return slices.Contains(u.Roles, name) })
	if added, err = t.a.checkRoleNames(added); err != nil {
		return err
	}
	if err := r.give(added); err != nil {
		return err
	}
	if slices.Contains(added, RoleAdmin) {
		if err := t.mayAdminister(ctx, u); err != nil {
			return err
		}
	}
	return t.setRoles(ctx, userID, roles)
}

var errNoAdmin = errInvalidRequest.At("body.roles", "may not hold admin: nobody can sign in to this account")

// mayAdminister refuses an account that nobody can sign in to, a service account: it would count as an administrator who can
// get in (R31).
func (t *AdminTx) mayAdminister(ctx context.Context, u store.User) error {
	if u.Email != "" {
		return nil
	}
	creds, err := t.tx.Credentials().Of(ctx, u.ID)
	if err != nil {
		return fault("read credentials", err)
	}
	if !t.a.enterable(u, creds) {
		return errNoAdmin
	}
	return nil
}

// DeleteUser removes a person with everything that hangs on him. Whoever deletes himself loses his cookies, too.
func (t *AdminTx) DeleteUser(ctx context.Context, userID string) error {
	if _, _, err := t.reach(ctx, userID); err != nil {
		return err
	}
	if err := t.deleteUser(ctx, userID); err != nil {
		return err
	}
	if t.c != nil && t.c.Principal != nil && t.c.Principal.User != nil && t.c.Principal.User.ID == userID {
		t.after = append(t.after, func(context.Context) error {
			t.c.clearCookie(sessionCookie, accessCookie, refreshCookie)
			return nil
		})
	}
	return nil
}

// EndSession ends a session of anybody, as [Engine.Session] found it, with everything that hangs on it.
func (t *AdminTx) EndSession(ctx context.Context, s store.Session) error {
	if _, _, err := t.reach(ctx, s.UserID); err != nil {
		return err
	}
	return t.endSession(ctx, s, "revoked")
}

// PutRole saves a role of the store. Roles that are fixed in code cannot be changed. The caller must hold what the role
// grants now, and be able to give what it will grant.
func (t *AdminTx) PutRole(ctx context.Context, role authz.Role) error {
	r, err := t.reachRole(ctx, role.Name)
	if err != nil {
		return err
	}
	if err := r.cover(role.Permissions); err != nil {
		return err
	}
	if err := r.give(role.Inherits); err != nil {
		return err
	}
	if len(role.Permissions)+len(role.Inherits) == 0 && !r.all {
		return errNotHeld.Because(errors.New("a role without permissions means something only by its name"))
	}
	return t.putRole(ctx, role)
}

// DeleteRole removes a role of the store. conflict: another role inherits it, or somebody has it.
func (t *AdminTx) DeleteRole(ctx context.Context, name string) error {
	if _, err := t.reachRole(ctx, name); err != nil {
		return err
	}
	holders, err := t.tx.Users().List(ctx, store.UserQuery{Role: name, Limit: 1})
	if err != nil {
		return fault("list users", err)
	}
	if len(holders) > 0 && !t.a.fixedRole(name) {
		return errRoleInUse
	}
	return t.deleteRole(ctx, name)
}
