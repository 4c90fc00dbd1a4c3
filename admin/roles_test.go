package admin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/internal/apitest"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root, ada := w.Person("root@example.com", ostiary.RoleAdmin), w.Person("ada@example.com")
	const path = "/api/v1/admin/roles/editor"
	body := map[string]any{"name": "editor", "description": "Edits.", "permissions": []string{"users:read"}, "inherits": []string{"writer"}}
	r := root.Want("PUT", path, body, 200, "")
	if r.Body["description"] != "Edits." || r.Body["built_in"] != false {
		t.Fatalf("got %s", r.Raw)
	}
	if got := root.Want("GET", path, nil, 200, ""); got.Raw != r.Raw {
		t.Errorf("got %s, want %s", got.Raw, r.Raw)
	}
	ada.Want("GET", "/api/v1/admin/users", nil, 403, "forbidden")
	root.Want("PATCH", "/api/v1/admin/users/"+ada.ID, map[string]any{"roles": []string{"editor"}}, 200, "")
	ada.Want("GET", "/api/v1/admin/users", nil, 200, "")
	root.Want("DELETE", path, nil, 409, "conflict")
	root.Want("PUT", path, map[string]any{}, 200, "")
	ada.Want("GET", "/api/v1/admin/users", nil, 403, "forbidden")
	root.Want("PATCH", "/api/v1/admin/users/"+ada.ID, map[string]any{"roles": []string{}}, 200, "")
	root.Want("PUT", "/api/v1/admin/roles/chief", map[string]any{"inherits": []string{"editor"}}, 200, "")
	root.Want("DELETE", path, nil, 409, "conflict")
	root.Want("DELETE", "/api/v1/admin/roles/chief", nil, 204, "")
	root.Want("DELETE", path, nil, 204, "")
	root.Want("GET", path, nil, 404, "not_found")
}

func TestRolesRefuse(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	root.Want("PUT", "/api/v1/admin/roles/a", map[string]any{"inherits": []string{"writer"}}, 200, "")
	for _, x := range []struct {
		name, role, body string
		status           int
		code             string
	}{
		{"fixed in code", "writer", `{"permissions":[]}`, 409, "conflict"},
		{"built in", "admin", `{"permissions":[]}`, 409, "conflict"},
		{"another name", "x", `{"name":"y"}`, 400, "invalid_request"},
		{"bad name", "X", `{}`, 400, "invalid_request"},
		{"long name", strings.Repeat("x", 65), `{}`, 400, "invalid_request"},
		{"bad permission", "x", `{"permissions":["everything"]}`, 400, "invalid_request"},
		{"permission twice", "x", `{"permissions":["a:b","a:b"]}`, 400, "invalid_request"},
		{"unknown parent", "x", `{"inherits":["nobody"]}`, 400, "invalid_request"},
		{"its own parent", "x", `{"inherits":["x"]}`, 400, "invalid_request"},
		{"cycle", "writer2", `{"inherits":["writer2"]}`, 400, "invalid_request"},
		{"long description", "x", `{"description":"` + strings.Repeat("x", 1025) + `"}`, 400, "invalid_request"},
		{"too many permissions", "x", `{"permissions":[` + many(1001) + `]}`, 400, "invalid_request"},
		{"unknown field", "x", `{"built_in":true}`, 400, "unknown_field"},
	} {
		t.Run(x.name, func(t *testing.T) {
			root.Want("PUT", "/api/v1/admin/roles/"+x.role, x.body, x.status, x.code)
		})
	}
	root.Want("DELETE", "/api/v1/admin/roles/writer", nil, 409, "conflict")
	root.Want("DELETE", "/api/v1/admin/roles/admin", nil, 409, "conflict")
}

func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"a:b%d"`, i))
	}
	return strings.Join(list, ",")
}

func TestPermissionsNameTheirRoles(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	for _, item := range all(w.Person("root@example.com", ostiary.RoleAdmin), "/permissions", 100) {
		switch item["permission"] {
		case "users:read":
			if fmt.Sprint(item["roles"]) != "[manager support]" {
				t.Errorf("got %v", item)
			}
		case "*:*":
			if fmt.Sprint(item["roles"]) != "[admin]" {
				t.Errorf("got %v", item)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	app := w.Client()
	tokens := app.Want("POST", "/api/v1/knock", map[string]any{"email": "root@example.com", "delivery": "body"}, 200, "").Body
	app.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string))
	app.Want("GET", "/api/v1/admin/keys", nil, 200, "")

	made := root.Want("POST", "/api/v1/admin/keys/rotate", nil, 201, "")
	items := root.Want("GET", "/api/v1/admin/keys", nil, 200, "").Items()
	if len(items) != 2 || items[0]["state"] != "current" || items[1]["state"] != "next" || items[1]["kid"] != made.Body["kid"] {
		t.Fatalf("got %v", items)
	}
	for _, item := range items {
		for name := range item {
			if strings.Contains("private secret d k p q", name) {
				t.Errorf("%s is shown", name)
			}
		}
	}
	root.Want("DELETE", "/api/v1/admin/keys/"+items[0]["kid"].(string), nil, 204, "")
	app.Want("GET", "/api/v1/admin/keys", nil, 401, "token_revoked")
	for _, item := range root.Want("GET", "/api/v1/admin/keys", nil, 200, "").Items() {
		if item["kid"] == items[0]["kid"] {
			t.Error("a revoked key is still there")
		}
	}
}
