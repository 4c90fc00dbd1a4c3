package authz_test

import (
	"fmt"
	"testing"

	"github.com/ostiary/ostiary/authz"
)

// thousand compiles 1,000 roles with 20 permissions each; every tenth inherits its neighbour and holds a wildcard.
func thousand(t testing.TB) *authz.Policy {
	t.Helper()
	var roles []authz.Role
	for i := range 1_000 {
		r := authz.Role{Name: fmt.Sprint("role", i)}
		for j := range 20 {
			r.Permissions = append(r.Permissions, fmt.Sprintf("resource%d:action%d", (i+j)%1_000, j))
		}
		if i%10 == 0 {
			r.Inherits = []string{fmt.Sprint("role", i+1)}
			r.Permissions[0] = fmt.Sprintf("resource%d:*", i)
		}
		roles = append(roles, r)
	}
	p, err := authz.Compile(roles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func requests() map[string]authz.Request {
	return map[string]authz.Request{
		"exact":       {Roles: []string{"role505"}, Permission: "resource510:action5"},
		"inherited":   {Roles: []string{"role500"}, Permission: "resource520:action19"},
		"wildcard":    {Roles: []string{"role500"}, Permission: "resource500:delete"},
		"third role":  {Roles: []string{"role1", "role333", "role505"}, Permission: "resource510:action5"},
		"denied of 3": {Roles: []string{"role1", "role333", "role500"}, Permission: "resource999:delete"},
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	p := thousand(t)
	for name, q := range requests() {
		if n := testing.AllocsPerRun(100, func() { p.Decide(q) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	p := thousand(b)
	for name, q := range requests() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Decide(q)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	roles := thousand(b).Roles()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := authz.Compile(roles); err != nil {
			b.Fatal(err)
		}
	}
}
