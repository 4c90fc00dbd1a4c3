package authz_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ostiary/ostiary/authz"
)

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	role := func(name string, parents ...string) authz.Role { return authz.Role{Name: name, Inherits: parents} }
	for _, c := range []struct {
		name  string
		roles []authz.Role
		want  string
	}{
		{"nothing", nil, ""},
		{"diamond", []authz.Role{role("a", "b", "c"), role("b", "d"), role("c", "d"), role("d")}, ""},
		{"bad name", []authz.Role{role("A")}, `"A" may hold only`},
		{"same name", []authz.Role{role("a"), role("a")}, `"a" is given twice`},
		{"bad permission", []authz.Role{{Name: "a", Permissions: []string{"x"}}}, `role "a": permission "x"`},
		{"same permission", []authz.Role{{Name: "a", Permissions: []string{"x:y", "x:y"}}}, `"x:y" is given twice`},
		{"same parent", []authz.Role{role("a", "b", "b"), role("b")}, `inherits "b" twice`},
		{"unknown parent", []authz.Role{role("a", "b")}, `role "a": inherits "b", which does not exist`},
		{"itself", []authz.Role{role("a", "a")}, "cycle: a → a"},
		{"cycle", []authz.Role{role("x", "a"), role("a", "b"), role("b", "c"), role("c", "a")}, "cycle: a → b → c → a"},
		{"description", []authz.Role{{Name: "a", Description: "\xff"}}, "description"},
		{"depth at limit", chain(authz.MaxDepth), ""},
		{"depth over limit", chain(authz.MaxDepth + 1), "more than 32 levels"},
		{"long cycle", ring(authz.MaxRoles), "r0 → r1 → r2 → r3 → r4 → r5 → r6 → r7 → r8 → r9 → … 9990 more … → r0"},
		{"too many roles", make([]authz.Role, authz.MaxRoles+1), "10001 roles, at most 10000"},
		{"too many permissions", []authz.Role{{Name: "a", Permissions: permissions(1_001)}}, "1001 permissions"},
		{"too many parents", []authz.Role{{Name: "a", Inherits: make([]string, 101)}}, "inherits 101"},
		{"too much in all", broad(), "more than 1000000 permissions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := authz.Compile(c.roles)
			checkError(t, err, c.want)
		})
	}
}

func TestPolicyKeepsNothingOfItsArguments(t *testing.T) {
	t.Parallel()
	in := []authz.Role{{Name: "a", Permissions: []string{"x:y"}, Inherits: []string{"b"}}, {Name: "b"}}
	p, err := authz.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	in[0].Permissions[0], in[0].Inherits[0] = "*:*", "z"
	p.Roles()[0].Permissions[0] = "*:*"
	want := []authz.Role{{Name: "a", Permissions: []string{"x:y"}, Inherits: []string{"b"}}, {Name: "b"}}
	if diff := cmp.Diff(want, p.Roles()); diff != "" {
		t.Error(diff)
	}
	if p.Decide(authz.Request{Roles: []string{"a"}, Permission: "q:q"}).Allowed {
		t.Error("a caller changed the policy through a slice")
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	p, err := authz.Compile([]authz.Role{
		{Name: "reader", Permissions: []string{"posts:read", "*:list"}},
		{Name: "author", Permissions: []string{"posts:update:own", "posts:read"}, Inherits: []string{"reader"}},
		{Name: "editor", Permissions: []string{"posts:update"}, Inherits: []string{"author", "reader"}},
		{Name: "none"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		roles []string
		want  []string
	}{
		{"nobody", nil, []string{}},
		{"unknown role", []string{"root"}, []string{}},
		{"role without permissions", []string{"none"}, []string{}},
		{"inherited", []string{"editor"}, []string{"*:list", "posts:read", "posts:update", "posts:update:own"}},
		{"two roles, one twice", []string{"reader", "author", "reader"}, []string{"*:list", "posts:read", "posts:update:own"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, p.Permissions(c.roles)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// chain returns n roles, each of which inherits the next.
func chain(n int) []authz.Role {
	roles := ring(n)
	roles[n-1].Inherits = nil
	return roles
}

// ring returns n roles, each of which inherits the next, and the last one the first.
func ring(n int) []authz.Role {
	var roles []authz.Role
	for i := range n {
		roles = append(roles, authz.Role{Name: fmt.Sprint("r", i), Inherits: []string{fmt.Sprint("r", (i+1)%n)}})
	}
	return roles
}

// broad returns roles within every limit that would take 1.1 million rules.
func broad() []authz.Role {
	roles := []authz.Role{{Name: "base", Permissions: permissions(1_000)}}
	for i := range 1_100 {
		roles = append(roles, authz.Role{Name: fmt.Sprint("r", i), Inherits: []string{"base"}})
	}
	return roles
}

func permissions(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("resource%d:action", i))
	}
	return list
}
