package ostiary

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/store"
)

const kindRole = "role"

// builtInRoles exist everywhere.
var builtInRoles = []authz.Role{{Name: RoleAdmin, Description: "May do everything, administration included.", Permissions: []string{"*:*"}}}

// loadPolicy compiles the roles of the code and of the store.
func (a *Auth) loadPolicy(ctx context.Context) error {
	stored, err := a.storedRoles(ctx, a.store)
	if err != nil {
		return err
	}
	policy, err := authz.Compile(append(a.codeRoles(), stored...))
	if err != nil {
		return err
	}
	a.policy.Store(policy)
	return nil
}

func (a *Auth) codeRoles() []authz.Role {
	return append(slices.Clone(builtInRoles), a.cfg.Roles...)
}

func (a *Auth) storedRoles(ctx context.Context, tx store.Tx) ([]authz.Role, error) {
	const page = 500
	var roles []authz.Role
	for after := ""; ; {
		records, err := tx.Registry().List(ctx, kindRole, after, page)
		if err != nil {
			return nil, fault("list roles", err)
		}
		for _, rec := range records {
			var r authz.Role
			if err := json.Unmarshal(rec.Data, &r); err != nil {
				return nil, fmt.Errorf("read role %q: %w", rec.ID, err)
			}
			if !a.fixedRole(r.Name) {
				roles = append(roles, r)
			}
			after = rec.ID
		}
		if len(records) < page {
			return roles, nil
		}
	}
}

func (a *Auth) fixedRole(name string) bool {
	return slices.ContainsFunc(a.codeRoles(), func(r authz.Role) bool { return r.Name == name })
}

func (a *Auth) roleExists(name string) bool {
	return slices.ContainsFunc(a.policy.Load().Roles(), func(r authz.Role) bool { return r.Name == name })
}

// putRole saves a role, if all roles together still make sense.
func (t *Tx) putRole(ctx context.Context, r authz.Role) error {
	if err := authz.ValidRole(r.Name); err != nil {
		return errInvalidRequest.At("body.name", err.Error())
	}
	if t.a.fixedRole(r.Name) {
		return errConflict.Because(fmt.Errorf("role %q is fixed in code", r.Name)).At("body.name", "is a role that cannot be changed")
	}
	if err := t.checkRoles(ctx, &r, r.Name); err != nil {
		return errInvalidRequest.At("body", err.Error())
	}
	rec, err := t.tx.Registry().Get(ctx, kindRole, r.Name)
	if err != nil && !isNotFound(err) {
		return fault("read role", err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write role: %w", err)
	}
	if err := t.tx.Registry().Put(ctx, store.Record{Kind: kindRole, ID: r.Name, Data: data, Version: rec.Version}); err != nil {
		return fault("save role", err)
	}
	if err := t.policyChanged(ctx); err != nil {
		return err
	}
	return t.Emit(ctx, eventRoleSaved, "", map[string]string{"role": r.Name})
}

// checkRoles compiles the roles as they would be: with r (nil: none) in the place of the one that is named.
func (t *Tx) checkRoles(ctx context.Context, r *authz.Role, name string) error {
	stored, err := t.a.storedRoles(ctx, t.tx)
	if err != nil {
		return err
	}
	stored = slices.DeleteFunc(stored, func(old authz.Role) bool { return old.Name == name })
	if r != nil {
		stored = append(stored, *r)
	}
	_, err = authz.Compile(append(t.a.codeRoles(), stored...))
	return err
}

func (t *Tx) deleteRole(ctx context.Context, name string) error {
	if t.a.fixedRole(name) {
		return errConflict.Because(fmt.Errorf("role %q is fixed in code", name))
	}
	if _, err := t.tx.Registry().Get(ctx, kindRole, name); err != nil {
		return fault("read role", err)
	}
	if err := t.checkRoles(ctx, nil, name); err != nil {
		return errConflict.Because(err)
	}
	if err := t.tx.Registry().Delete(ctx, kindRole, name, 0); err != nil {
		return fault("delete role", err)
	}
	if err := t.policyChanged(ctx); err != nil {
		return err
	}
	return t.Emit(ctx, eventRoleDeleted, "", map[string]string{"role": name})
}

// policyChanged tells every node to read roles and keys again.
func (t *Tx) policyChanged(ctx context.Context) error {
	return t.revoke(ctx, store.KindPolicy, t.a.tokenEntryEnd(), "policy")
}
