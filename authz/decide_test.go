package authz_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ostiary/ostiary/authz"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	p, err := authz.Compile([]authz.Role{
		{Name: "reader", Permissions: []string{"posts:read"}},
		{Name: "author", Permissions: []string{"posts:update:own"}, Inherits: []string{"reader"}},
		{Name: "editor", Permissions: []string{"posts:update"}, Inherits: []string{"author"}},
		{Name: "auditor", Permissions: []string{"*:read"}},
		{Name: "owner", Permissions: []string{"posts:*:own"}},
		{Name: "admin", Permissions: []string{"*:*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	mine, yours := authz.Resource{Owner: "me"}, authz.Resource{Owner: "you"}
	for _, c := range []struct {
		name       string
		roles      string
		permission string
		user       string
		on         authz.Resource
		want       authz.Decision
		sentence   string
	}{
		{"no roles", "", "posts:read", "me", mine, authz.Decision{}, "posts:read is denied: no role"},
		{"unknown role", "root", "posts:read", "me", mine, authz.Decision{}, "no role"},
		{"exact", "reader", "posts:read", "me", yours, authz.Decision{Allowed: true, Why: authz.Granted, Role: "reader", From: "reader", Pattern: "posts:read"}, `posts:read is allowed: role "reader" has "posts:read"`},
		{"inherited", "author", "posts:read", "me", yours, authz.Decision{Allowed: true, Why: authz.Granted, Role: "author", From: "reader", Pattern: "posts:read"}, `role "author" inherits "posts:read" from role "reader"`},
		{"own", "author", "posts:update", "me", mine, authz.Decision{Allowed: true, Why: authz.Granted, Role: "author", From: "author", Pattern: "posts:update:own"}, `"posts:update:own"`},
		{"not the owner", "author", "posts:update", "me", yours, authz.Decision{Why: authz.NotOwner, Role: "author", From: "author", Pattern: "posts:update:own"}, "does not own"},
		{"owner unknown", "author", "posts:update", "me", authz.Resource{}, authz.Decision{Why: authz.NotOwner, Role: "author", From: "author", Pattern: "posts:update:own"}, "does not own"},
		{"nobody owns nothing", "author", "posts:update", "", authz.Resource{}, authz.Decision{Why: authz.NotOwner, Role: "author", From: "author", Pattern: "posts:update:own"}, "does not own"},
		{"own pattern is replaced", "editor", "posts:update", "me", yours, authz.Decision{Allowed: true, Why: authz.Granted, Role: "editor", From: "editor", Pattern: "posts:update"}, "allowed"},
		{"any resource", "auditor", "keys:read", "me", yours, authz.Decision{Allowed: true, Why: authz.Granted, Role: "auditor", From: "auditor", Pattern: "*:read"}, "allowed"},
		{"any resource, other action", "auditor", "keys:write", "me", mine, authz.Decision{}, "no role"},
		{"any action of own", "owner", "posts:delete", "me", mine, authz.Decision{Allowed: true, Why: authz.Granted, Role: "owner", From: "owner", Pattern: "posts:*:own"}, "allowed"},
		{"everything", "admin", "keys:write", "me", yours, authz.Decision{Allowed: true, Why: authz.Granted, Role: "admin", From: "admin", Pattern: "*:*"}, "allowed"},
		{"second role allows", "author,editor", "posts:update", "me", yours, authz.Decision{Allowed: true, Why: authz.Granted, Role: "editor", From: "editor", Pattern: "posts:update"}, "allowed"},
		{"wildcard asked", "admin", "posts:*", "me", mine, authz.Decision{Why: authz.Malformed}, `"posts:*" is denied: it is not a permission`},
		{"own asked", "admin", "posts:read:own", "me", mine, authz.Decision{Why: authz.Malformed}, "not a permission"},
		{"nonsense asked", "admin", "posts:read\n", "me", mine, authz.Decision{Why: authz.Malformed}, `"posts:read\n"`},
		{"nothing asked", "admin", "", "me", mine, authz.Decision{Why: authz.Malformed}, "not a permission"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.want.Permission = c.permission
			got := p.Decide(authz.Request{Roles: strings.Split(c.roles, ","), Permission: c.permission, UserID: c.user, Resource: c.on})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(got.String(), c.sentence) {
				t.Errorf("String() = %q, want %q in it", got, c.sentence)
			}
		})
	}
}

func TestZeroPolicyDenies(t *testing.T) {
	t.Parallel()
	if (&authz.Policy{}).Decide(authz.Request{Roles: []string{""}, Permission: "a:b"}).Allowed {
		t.Error("allowed")
	}
}

func TestLongPermissionIsCutInTheSentence(t *testing.T) {
	t.Parallel()
	d := (&authz.Policy{}).Decide(authz.Request{Permission: strings.Repeat("x", 1<<20)})
	if n := len(d.String()); n > 300 {
		t.Errorf("%d bytes", n)
	}
}
