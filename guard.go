package ostiary

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/store"
)

// errNotHeld refuses what would lift somebody above the one who does it.
var errNotHeld = Fail(http.StatusForbidden, "forbidden", "You may not give, change or take away permissions that you do not have yourself, nor change somebody who has them.")

// rights are what the caller of an administrative change holds at this moment, read in the transaction of the change. A
// support role can be given without it being a way to become administrator: nobody grants, edits or acts on the account of
// somebody who has a permission that he does not have himself.
type rights struct {
	all    bool // "*:*", or the command line
	policy *authz.Policy
	roles  []string // of the caller, inherited ones included
	held   []string // patterns
}

func (t *AdminTx) rights(ctx context.Context) (*rights, error) {
	policy, err := t.policy(ctx)
	if err != nil {
		return nil, err
	}
	if t.c == nil || t.c.request == nil {
		return &rights{all: true, policy: policy}, nil
	}
	p := t.c.Principal
	if !p.FirstParty() || p.User == nil {
		return nil, errForbidden
	}
	u, err := t.tx.Users().Get(ctx, p.User.ID)
	if isNotFound(err) || err == nil && u.Status != store.Active {
		return nil, errForbidden.Because(fmt.Errorf("the caller was disabled or deleted"))
	}
	if err != nil {
		return nil, fault("read user", err)
	}
	held := policy.Permissions(u.Roles)
	return &rights{all: slices.Contains(held, "*:*"), policy: policy, roles: inherited(policy.Roles(), u.Roles), held: held}, nil
}

// policy compiles the roles as they stand in the transaction.
func (t *AdminTx) policy(ctx context.Context) (*authz.Policy, error) {
	stored, err := t.a.storedRoles(ctx, t.tx)
	if err != nil {
		return nil, err
	}
	return authz.Compile(append(t.a.codeRoles(), stored...))
}

// inherited adds to names the roles that they inherit.
func inherited(all []authz.Role, names []string) []string {
	parents := make(map[string][]string, len(all))
	for _, r := range all {
		parents[r.Name] = r.Inherits
	}
	var found []string
	for todo := slices.Clone(names); len(todo) > 0; {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !slices.Contains(found, name) {
			found = append(found, name)
			todo = append(todo, parents[name]...)
		}
	}
	return found
}

// cover says whether the caller holds all of these patterns.
func (r *rights) cover(patterns []string) error {
	if r.all {
		return nil
	}
	for _, p := range patterns {
		if !slices.ContainsFunc(r.held, func(h string) bool { return authz.Match(h, p) }) {
			return errNotHeld.Because(fmt.Errorf("the caller does not hold %q", p))
		}
	}
	return nil
}

// give says whether the caller may hand these roles on, or change them. A role without permissions means something only
// by its name ([Role]): only who has it may give it.
func (r *rights) give(roles []string) error {
	for _, name := range roles {
		patterns := r.policy.Permissions([]string{name})
		if len(patterns) == 0 && !r.all && !slices.Contains(r.roles, name) {
			return errNotHeld.Because(fmt.Errorf("the caller does not have the role %q", name))
		}
		if err := r.cover(patterns); err != nil {
			return err
		}
	}
	return nil
}

// reach says whether the caller may act on the account of a person, and returns what decided it.
func (t *AdminTx) reach(ctx context.Context, userID string) (*rights, store.User, error) {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return nil, u, fault("read user", err)
	}
	r, err := t.rights(ctx)
	if err != nil {
		return nil, u, err
	}
	return r, u, r.cover(r.policy.Permissions(u.Roles))
}

// reachRole says whether the caller may change what a role grants.
func (t *AdminTx) reachRole(ctx context.Context, name string) (*rights, error) {
	r, err := t.rights(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(r.policy.Roles(), func(known authz.Role) bool { return known.Name == name }) {
		return r, nil
	}
	return r, r.give([]string{name})
}
