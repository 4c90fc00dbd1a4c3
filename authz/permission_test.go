package authz_test

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/authz"
)

func TestValidPermission(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain", "posts:update", ""},
		{"own", "posts:update:own", ""},
		{"all characters", "a.b_c-9:x.y_z-0", ""},
		{"any action", "posts:*", ""},
		{"any resource", "*:read", ""},
		{"everything", "*:*", ""},
		{"everything own", "*:*:own", ""},
		{"action named own", "posts:own", ""},
		{"longest", "a:" + strings.Repeat("b", authz.MaxPermission-2), ""},
		{"empty", "", "resource:action"},
		{"no action", "posts", "resource:action"},
		{"empty resource", ":read", "needs a resource"},
		{"empty action", "posts:", "needs an action"},
		{"empty suffix", "posts:read:", "only in"},
		{"other suffix", "posts:read:all", "only in"},
		{"own twice", "posts:read:own:own", "only in"},
		{"upper case", "Posts:read", "needs a resource"},
		{"part of a wildcard", "po*:read", "needs a resource"},
		{"two wildcards", "posts:**", "needs an action"},
		{"space", "posts:read ", "needs an action"},
		{"newline", "posts:read\n", "needs an action"},
		{"unicode", "pösts:read", "needs a resource"},
		{"zero byte", "posts\x00:read", "needs a resource"},
		{"too long", "a:" + strings.Repeat("b", authz.MaxPermission-1), "longer than 128"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkError(t, authz.ValidPermission(c.in), c.want)
		})
	}
}

func TestValidRole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain", "admin", ""},
		{"all characters", "9team.a_b-c", ""},
		{"longest", strings.Repeat("a", authz.MaxRoleName), ""},
		{"empty", "", "empty"},
		{"too long", strings.Repeat("a", authz.MaxRoleName+1), "longer than 64"},
		{"comma", "a,b", "may hold only"},
		{"upper case", "Admin", "may hold only"},
		{"wildcard", "*", "may hold only"},
		{"begins with a dash", "-admin", "begin with"},
		{"begins with a dot", ".", "begin with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkError(t, authz.ValidRole(c.in), c.want)
		})
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, permission string
		want                bool
	}{
		{"posts:read", "posts:read", true},
		{"posts:*", "posts:read", true},
		{"*:read", "posts:read", true},
		{"*:*", "posts:read", true},
		{"posts:read", "posts:readall", false},
		{"posts:read", "post:read", false},
		{"*:read", "posts:write", false},
		{"posts:*", "comments:read", false},
		{"posts:read:own", "posts:read", false},
		{"posts:read", "posts:read:own", true},
		{"posts:*:own", "posts:read:own", true},
		{"*:*", "posts:*", true},
		{"posts:*", "*:*", false},
		{"posts:read", "posts:*", false},
		{"", "", false},
		{"posts", "posts", false},
		{"*:*", "posts:read:all", false},
		{"*", "posts:read", false},
	} {
		t.Run(c.pattern+" covers "+c.permission, func(t *testing.T) {
			t.Parallel()
			if got := authz.Match(c.pattern, c.permission); got != c.want {
				t.Errorf("Match = %t, want %t", got, c.want)
			}
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error %q, want none", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want %q", err, want)
	}
}
