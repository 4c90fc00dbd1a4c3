package authz_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/authz"
	"pgregory.net/rapid"
)

// TestDecideEqualsReference compares with an implementation that is too simple to be wrong.
func TestDecideEqualsReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		roles := anyRoles(t)
		p, err := authz.Compile(roles)
		if err != nil {
			t.Fatal(err)
		}
		q := authz.Request{
			Roles:      rapid.SliceOfN(roleName, 0, 4).Draw(t, "roles"),
			Permission: anyPermission.Draw(t, "permission"),
			UserID:     rapid.SampledFrom([]string{"", "me"}).Draw(t, "user"),
			Resource:   authz.Resource{Owner: rapid.SampledFrom([]string{"", "me", "you"}).Draw(t, "owner")},
		}
		got := p.Decide(q)
		if want := reference(roles, q); got.Allowed != want {
			t.Fatalf("Decide = %+v, the reference says %t", got, want)
		}
		if got.Allowed != (got.Why == authz.Granted) {
			t.Fatalf("reason and answer differ: %+v", got)
		}
		if got.Allowed && !strings.HasSuffix(got.Pattern, ":own") && !authz.Match(got.Pattern, q.Permission) {
			t.Fatalf("the named pattern does not cover the permission: %+v", got)
		}
	})
}

// TestMatchEqualsDecide holds the two meanings of a pattern together.
func TestMatchEqualsDecide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern, asked := anyPattern.Draw(t, "pattern"), anyPermission.Draw(t, "permission")
		p, err := authz.Compile([]authz.Role{{Name: "r", Permissions: []string{pattern}}})
		if err != nil {
			t.Fatal(err)
		}
		d := p.Decide(authz.Request{Roles: []string{"r"}, Permission: asked})
		if d.Why != authz.Malformed && d.Allowed != authz.Match(pattern, asked) {
			t.Fatalf("Decide = %+v, Match = %t", d, !d.Allowed)
		}
	})
}

var ( // generators, never changed
	word          = rapid.SampledFrom([]string{"a", "b", "c"})
	roleName      = rapid.SampledFrom([]string{"r0", "r1", "r2", "r3", "r4", "r5"})
	anyPattern    = rapid.Custom(func(t *rapid.T) string { return draw(t, []string{"a", "b", "c", "*"}, []string{"", ":own"}) })
	anyPermission = rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			return anyPattern.Draw(t, "pattern")
		}
		return word.Draw(t, "resource") + ":" + word.Draw(t, "action")
	})
)

func draw(t *rapid.T, words, suffixes []string) string {
	w := rapid.SampledFrom(words)
	return w.Draw(t, "resource") + ":" + w.Draw(t, "action") + rapid.SampledFrom(suffixes).Draw(t, "suffix")
}

// anyRoles draws roles that inherit only from later ones, so there is no cycle.
func anyRoles(t *rapid.T) []authz.Role {
	roles := make([]authz.Role, rapid.IntRange(0, 6).Draw(t, "number"))
	for i := range roles {
		roles[i].Name = fmt.Sprint("r", i)
		roles[i].Permissions = rapid.SliceOfNDistinct(anyPattern, 0, 4, rapid.ID).Draw(t, "permissions")
		for j := i + 1; j < len(roles); j++ {
			if rapid.Bool().Draw(t, "inherits") {
				roles[i].Inherits = append(roles[i].Inherits, fmt.Sprint("r", j))
			}
		}
	}
	return roles
}

func reference(roles []authz.Role, q authz.Request) bool {
	resource, action, _ := strings.Cut(q.Permission, ":")
	if strings.ContainsAny(q.Permission, "*") || strings.Contains(action, ":") {
		return false
	}
	for _, name := range q.Roles {
		for _, r := range roles {
			if r.Name != name {
				continue
			}
			for _, pattern := range r.Permissions {
				part := strings.Split(pattern, ":")
				owned := len(part) == 2 || q.UserID != "" && q.UserID == q.Resource.Owner
				if (part[0] == "*" || part[0] == resource) && (part[1] == "*" || part[1] == action) && owned {
					return true
				}
			}
			inherited := q
			inherited.Roles = r.Inherits
			if reference(roles, inherited) {
				return true
			}
		}
	}
	return false
}
