package admin_test

import (
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/internal/apitest"
)

// Nobody lifts himself or a friend, and nobody lays hands on somebody who has more than he has.
func TestNobodyEscalates(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	w.Person("second@example.com", ostiary.RoleAdmin)
	root.Want("PUT", "/api/v1/admin/roles/club", map[string]any{}, 200, "")
	publisher := w.Person("publisher@example.com", "publisher")
	ada, vip := w.Person("ada@example.com"), w.Person("vip@example.com", "vip")
	clients := map[string]*apitest.Client{
		"support": w.Person("support@example.com", "support"), "manager": w.Person("manager@example.com", "manager"),
	}
	user := func(c *apitest.Client) string { return "/api/v1/admin/users/" + c.ID }
	roles := func(names ...string) map[string]any { return map[string]any{"roles": append([]string{}, names...)} }
	for _, x := range []struct {
		who, name, method, path string
		body                    any
		status                  int
	}{
		{"support", "make himself administrator", "PATCH", user(clients["support"]), roles("admin"), 403},
		{"support", "give a role at all", "PATCH", user(ada), roles("support"), 403},
		{"support", "take roles away", "PATCH", user(publisher), roles(), 403},
		{"support", "create an administrator", "POST", "/api/v1/admin/users", map[string]any{"email": "x@example.com", "roles": []string{"admin"}}, 403},
		{"support", "create with a role he has", "POST", "/api/v1/admin/users", map[string]any{"email": "x@example.com", "roles": []string{"support"}}, 403},
		{"support", "disable an administrator", "PATCH", user(root), map[string]any{"status": "disabled"}, 403},
		{"support", "rename an administrator", "PATCH", user(root), map[string]any{"name": "x"}, 403},
		{"support", "delete an administrator", "DELETE", user(root), nil, 403},
		{"support", "end an administrator's session", "DELETE", "/api/v1/admin/sessions/" + root.Session, nil, 403},
		{"support", "reset an administrator's factors", "POST", user(root) + "/reset-mfa", nil, 403},
		{"support", "reset factors of somebody without roles", "POST", user(ada) + "/reset-mfa", nil, 204},
		{"support", "disable a publisher", "PATCH", user(publisher), map[string]any{"status": "disabled"}, 403},
		{"support", "make a role", "PUT", "/api/v1/admin/roles/mine", map[string]any{"permissions": []string{"users:read"}}, 403},
		{"support", "rename somebody without roles", "PATCH", user(ada), map[string]any{"name": "Ada"}, 200},
		{"support", "rename a vip", "PATCH", user(vip), map[string]any{"name": "Vip"}, 200},

		{"manager", "give administrator to a friend", "PATCH", user(ada), roles("admin"), 403},
		{"manager", "make himself administrator", "PATCH", user(clients["manager"]), roles("manager", "admin"), 403},
		{"manager", "give himself a permission he lacks", "PATCH", user(clients["manager"]), roles("manager", "publisher"), 403},
		{"manager", "give a role known by its name", "PATCH", user(clients["manager"]), roles("manager", "vip"), 403},
		{"manager", "disarm an administrator", "PATCH", user(root), roles(), 403},
		{"manager", "make a role of everything", "PUT", "/api/v1/admin/roles/mine", map[string]any{"permissions": []string{"*:*"}}, 403},
		{"manager", "make a role of everything owned", "PUT", "/api/v1/admin/roles/mine", map[string]any{"permissions": []string{"*:*:own"}}, 403},
		{"manager", "make a role of all reading", "PUT", "/api/v1/admin/roles/mine", map[string]any{"permissions": []string{"*:read"}}, 403},
		{"manager", "make a role of another's", "PUT", "/api/v1/admin/roles/mine", map[string]any{"permissions": []string{"site:publish"}}, 403},
		{"manager", "inherit administrator", "PUT", "/api/v1/admin/roles/mine", map[string]any{"inherits": []string{"admin"}}, 403},
		{"manager", "inherit a publisher", "PUT", "/api/v1/admin/roles/mine", map[string]any{"inherits": []string{"publisher"}}, 403},
		{"manager", "inherit a role known by its name", "PUT", "/api/v1/admin/roles/mine", map[string]any{"inherits": []string{"vip"}}, 403},
		{"manager", "give a meaning to a role known by its name", "PUT", "/api/v1/admin/roles/club", map[string]any{"permissions": []string{"posts:create"}}, 403},
		{"manager", "make a role known by its name", "PUT", "/api/v1/admin/roles/mine", map[string]any{}, 403},
		{"manager", "change the built-in role", "PUT", "/api/v1/admin/roles/admin", map[string]any{}, 403},
		{"manager", "rotate keys", "POST", "/api/v1/admin/keys/rotate", nil, 403},
		{"manager", "give a role of which he has everything", "PATCH", user(ada), roles("writer"), 200},
		{"manager", "make a role of what he has", "PUT", "/api/v1/admin/roles/editor", map[string]any{"permissions": []string{"posts:delete"}, "inherits": []string{"writer"}}, 200},
		{"manager", "give it", "PATCH", user(ada), roles("editor"), 200},
		{"manager", "leave a vip what he is", "PATCH", user(vip), roles("vip", "editor"), 200},
		{"manager", "end a session", "DELETE", "/api/v1/admin/sessions/" + ada.Session, nil, 204},
	} {
		t.Run(x.who+" may or may not "+x.name, func(t *testing.T) {
			code := ""
			if x.status == 403 {
				code = "forbidden"
			}
			clients[x.who].Want(x.method, x.path, x.body, x.status, code)
		})
	}
	root.Want("GET", user(root), nil, 200, "")
}

// What a person may do counts when the change is written, not when he signed in.
func TestADemotedAdministratorChangesNothing(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root, other := w.Person("root@example.com", ostiary.RoleAdmin), w.Person("other@example.com", ostiary.RoleAdmin)
	root.Want("PATCH", "/api/v1/admin/users/"+other.ID, map[string]any{"roles": []string{}}, 200, "")
	other.Want("PATCH", "/api/v1/admin/users/"+root.ID, map[string]any{"roles": []string{}}, 403, "forbidden")
	other.Want("GET", "/api/v1/admin/users", nil, 403, "forbidden")
}
