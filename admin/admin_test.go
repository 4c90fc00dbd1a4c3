package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/apitest"
)

const none = "00000000-0000-7000-8000-000000000000"

// routes are all of the part, with the permission that each needs.
func routes() []struct{ method, path, permission string } {
	return []struct{ method, path, permission string }{
		{"GET", "/users", "users:read"},
		{"POST", "/users", "users:write"},
		{"GET", "/users/" + none, "users:read"},
		{"PATCH", "/users/" + none, "users:write"},
		{"DELETE", "/users/" + none, "users:delete"},
		{"POST", "/users/" + none + "/reset-mfa", "users:write"},
		{"POST", "/users/" + none + "/unlock", "users:write"},
		{"GET", "/sessions", "sessions:read"},
		{"DELETE", "/sessions/" + none, "sessions:end"},
		{"GET", "/roles", "roles:read"},
		{"GET", "/roles/x", "roles:read"},
		{"PUT", "/roles/x", "roles:write"},
		{"DELETE", "/roles/x", "roles:write"},
		{"GET", "/permissions", "roles:read"},
		{"GET", "/keys", "keys:read"},
		{"POST", "/keys/rotate", "keys:write"},
		{"DELETE", "/keys/x", "keys:write"},
		{"GET", "/audit", "audit:read"},
		{"GET", "/settings", "settings:read"},
	}
}

// roles of an operator who divides the work.
func divided(c *ostiary.Config) {
	c.InsecureNoRateLimits = true
	c.Roles = []authz.Role{
		{Name: "support", Permissions: []string{"users:read", "users:write", "users:delete", "sessions:*", "audit:read"}},
		{Name: "manager", Permissions: []string{"roles:*", "posts:*"}, Inherits: []string{"support"}},
		{Name: "writer", Permissions: []string{"posts:create", "posts:update:own"}},
		{Name: "publisher", Permissions: []string{"site:publish"}},
		{Name: "vip"}, // means something only by its name
	}
}

func TestEveryRouteIsClosed(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	anon, ada := w.Client(), w.Person("ada@example.com")
	for _, r := range routes() {
		anon.Want(r.method, "/api/v1/admin"+r.path, nil, 401, "not_authenticated")
		ada.Want(r.method, "/api/v1/admin"+r.path, nil, 403, "forbidden")
	}
	served := 0
	for _, r := range w.Auth.Routes() {
		if strings.HasPrefix(r.Name, "admin.") {
			served++
			if r.Access != ostiary.SignedIn || len(r.Need) == 0 || r.Scope != "" {
				t.Errorf("%s is open", r.Name)
			}
		}
	}
	if served != len(routes()) {
		t.Errorf("%d routes are served, %d are tested", served, len(routes()))
	}
}

// Each route is opened by its own permission and by no other.
func TestEveryRouteNeedsItsPermission(t *testing.T) {
	t.Parallel()
	var all []authz.Role
	for _, r := range routes() {
		name := strings.ReplaceAll(r.permission, ":", ".")
		if len(all) == 0 || all[len(all)-1].Name != name {
			all = append(all, authz.Role{Name: name, Permissions: []string{r.permission}})
		}
	}
	w := apitest.New(t, func(c *ostiary.Config) {
		seen := map[string]bool{}
		for _, r := range all {
			if !seen[r.Name] {
				c.Roles = append(c.Roles, r)
			}
			seen[r.Name] = true
		}
		c.InsecureNoRateLimits = true
	}, admin.New(admin.Config{}))
	done := map[string]bool{}
	for _, role := range all {
		if done[role.Name] {
			continue
		}
		done[role.Name] = true
		c := w.Person(role.Name+"@example.com", role.Name)
		for _, r := range routes() {
			var body any
			if r.method == "PUT" {
				body = map[string]any{"permissions": []string{r.permission}}
			}
			got := c.Do(r.method, "/api/v1/admin"+r.path, body)
			if open := got.StatusCode != 403; open != (r.permission == role.Permissions[0]) {
				t.Errorf("%s %s with %s: %d %s", r.method, r.path, role.Permissions[0], got.StatusCode, got.Code())
			}
		}
	}
}

func TestChangesNeedAFreshProof(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	w.Advance(time.Hour + time.Second)
	for _, r := range routes() {
		got := root.Do(r.method, "/api/v1/admin"+r.path, nil)
		if stale := got.Code() == "reauthentication_required"; stale != (r.method != "GET") {
			t.Errorf("%s %s: %d %s", r.method, r.path, got.StatusCode, got.Code())
		}
	}
}

func TestR4_OtherSiteIsRefused(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	root.Header.Set("Origin", "https://evil.example")
	root.Header.Set("Sec-Fetch-Site", "cross-site")
	for _, r := range routes() {
		if r.method != "GET" {
			root.Want(r.method, "/api/v1/admin"+r.path, map[string]any{}, 403, "cross_origin")
		}
	}
	root.Header = http.Header{}
	root.Want("GET", "/api/v1/admin/users/"+root.ID, nil, 200, "")
}

func TestUnknownIDs(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	for _, id := range []string{none, "x", "%00", strings.Repeat("a", 300), strings.ToUpper(root.ID)} {
		root.Want("GET", "/api/v1/admin/users/"+id, nil, 404, "not_found")
		root.Want("PATCH", "/api/v1/admin/users/"+id, map[string]any{"name": "x"}, 404, "not_found")
		root.Want("DELETE", "/api/v1/admin/users/"+id, nil, 404, "not_found")
		root.Want("DELETE", "/api/v1/admin/sessions/"+id, nil, 404, "not_found")
		root.Want("DELETE", "/api/v1/admin/keys/"+id, nil, 404, "not_found")
		root.Want("GET", "/api/v1/admin/roles/"+id, nil, 404, "not_found")
		root.Want("DELETE", "/api/v1/admin/roles/"+id, nil, 404, "not_found")
	}
}

func TestListsRefuse(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	for _, x := range []struct{ path, location string }{
		{"/users?limit=0", "query.limit"},
		{"/users?cursor=x", "query.cursor"},
		{"/users?status=dead", "query.status"},
		{"/users?role=A%20B", "query.role"},
		{"/users?search=" + strings.Repeat("a", 201), "query.search"},
		{"/users?search=%ff", "query.search"},
		{"/sessions?user_id=x", "query.user_id"},
		{"/sessions?cursor=1", "query.cursor"},
		{"/roles?limit=101", "query.limit"},
		{"/roles?cursor=A%20B", "query.cursor"},
		{"/permissions?cursor=x", "query.cursor"},
		{"/audit?cursor=x", "query.cursor"},
		{"/audit?subject=x", "query.subject"},
		{"/audit?kind=%27%20or%201", "query.kind"},
		{"/audit?kind=" + strings.Repeat("a", 65), "query.kind"},
	} {
		r := root.Want("GET", "/api/v1/admin"+x.path, nil, 400, "invalid_request")
		if r.Location() != x.location {
			t.Errorf("%s: location %q, want %q", x.path, r.Location(), x.location)
		}
	}
	root.Want("GET", "/api/v1/admin/users?admin=1", nil, 400, "unknown_field")
}

// all walks a list page by page.
func all(c *apitest.Client, path string, limit int) []map[string]any {
	c.Helper()
	var items []map[string]any
	for cursor := ""; ; {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		r := c.Want("GET", fmt.Sprintf("/api/v1/admin%s%slimit=%d&cursor=%s", path, sep, limit, cursor), nil, 200, "")
		items = append(items, r.Items()...)
		if cursor, _ = r.Body["next_cursor"].(string); cursor == "" {
			return items
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	for i := range 6 {
		w.Person(fmt.Sprintf("p%d@example.com", i))
	}
	for path, want := range map[string]int{
		"/users": 7, "/users?search=P3@EXAMPLE": 1, "/users?role=admin": 1, "/users?status=disabled": 0, "/sessions": 7, "/sessions?user_id=" + root.ID: 1,
		"/roles": 6, "/permissions": 11, "/audit": 15, "/audit?kind=user.": 8, "/audit?subject=" + root.ID: 3, "/keys": 1,
	} {
		if path == "/keys" {
			if n := len(root.Want("GET", "/api/v1/admin/keys", nil, 200, "").Items()); n != want {
				t.Errorf("%s: %d", path, n)
			}
			continue
		}
		for _, limit := range []int{1, 2, 100} {
			items := all(root, path, limit)
			if len(items) != want {
				t.Errorf("%s by %d: %d items, want %d", path, limit, len(items), want)
			}
		}
	}
}

func TestSettingsHoldNoSecret(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	r := w.Person("root@example.com", ostiary.RoleAdmin).Want("GET", "/api/v1/admin/settings", nil, 200, "")
	if r.Body["access_token_ttl"] != "15m0s" || r.Body["signup"] != "open" || r.Body["url"] != w.Auth.Issuer() {
		t.Errorf("got %s", r.Raw)
	}
	if strings.Contains(r.Raw, apitest.MasterKey) || strings.Contains(r.Raw, "null") {
		t.Errorf("got %s", r.Raw)
	}
}
