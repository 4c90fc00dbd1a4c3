package authz

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// The limits of a role.
const (
	MaxRoleName        = 64    // bytes
	MaxRoleDescription = 1_024 // bytes
	MaxRolePermissions = 1_000 // of its own, without what it inherits
	MaxRoleParents     = 100
)

// Role is a named set of permission patterns.
type Role struct {
	Name        string   // see ValidRole
	Description string   // for people; never part of a decision
	Permissions []string // patterns, see ValidPermission
	Inherits    []string // names of roles whose permissions this one has, too
}

// Resource is what a permission is asked for.
type Resource struct {
	Type  string // for the caller; not part of the decision
	ID    string // for the caller; not part of the decision
	Owner string // a user's ID; "": unknown, and then nobody owns it
}

// ValidRole says what is wrong with the name of a role: 1 to MaxRoleName of a-z, 0-9, "_", ".", "-", the first a letter or
// a digit. It returns nil when nothing is.
func ValidRole(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("role name is empty")
	case len(name) > MaxRoleName:
		return fmt.Errorf("role name %q… is longer than %d bytes", name[:MaxRoleName], MaxRoleName)
	case !word(name):
		return fmt.Errorf(`role name %q may hold only a-z, 0-9, "_", ".", "-"`, name)
	case name[0] == '_' || name[0] == '.' || name[0] == '-':
		return fmt.Errorf("role name %q must begin with a letter or a digit", name)
	}
	return nil
}

// valid checks everything about a role that can be seen without the others.
func (r Role) valid() error {
	if err := ValidRole(r.Name); err != nil {
		return err
	}
	if len(r.Description) > MaxRoleDescription || !utf8.ValidString(r.Description) {
		return fmt.Errorf("role %q: description is not UTF-8 of at most %d bytes", r.Name, MaxRoleDescription)
	}
	if len(r.Permissions) > MaxRolePermissions {
		return fmt.Errorf("role %q: %d permissions, at most %d are allowed", r.Name, len(r.Permissions), MaxRolePermissions)
	}
	if len(r.Inherits) > MaxRoleParents {
		return fmt.Errorf("role %q: inherits %d roles, at most %d are allowed", r.Name, len(r.Inherits), MaxRoleParents)
	}
	for _, p := range r.Permissions {
		if err := ValidPermission(p); err != nil {
			return fmt.Errorf("role %q: %w", r.Name, err)
		}
	}
	if p, twice := repeated(r.Permissions); twice {
		return fmt.Errorf("role %q: permission %q is given twice", r.Name, p)
	}
	if p, twice := repeated(r.Inherits); twice {
		return fmt.Errorf("role %q: inherits %q twice", r.Name, p)
	}
	return nil
}

func (r Role) clone() Role {
	r.Permissions = slices.Clone(r.Permissions)
	r.Inherits = slices.Clone(r.Inherits)
	return r
}

func repeated(list []string) (string, bool) {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if seen[s] {
			return s, true
		}
		seen[s] = true
	}
	return "", false
}
