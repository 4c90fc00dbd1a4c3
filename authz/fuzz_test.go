package authz_test

import (
	"testing"

	"github.com/ostiary/ostiary/authz"
)

// FuzzPermission: whatever is valid covers itself, whatever is not is refused everywhere.
func FuzzPermission(f *testing.F) {
	for _, s := range []string{"posts:read", "*:*:own", "posts", ":", "a:b:own:own", "\xff:\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		valid := authz.ValidPermission(s) == nil
		if authz.Match(s, s) != valid || authz.Match("*:*", s) != valid {
			t.Errorf("%q: ValidPermission and Match differ", s)
		}
		_, err := authz.Compile([]authz.Role{{Name: "r", Permissions: []string{s}}})
		if (err == nil) != valid {
			t.Errorf("%q: ValidPermission and Compile differ: %v", s, err)
		}
	})
}
