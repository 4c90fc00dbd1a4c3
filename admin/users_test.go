package admin_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/internal/apitest"
	"github.com/ostiary/ostiary/method/password"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	made := root.Want("POST", "/api/v1/admin/users", map[string]any{"email": "Ada@Example.com", "name": "Ada", "roles": []string{"writer"}}, 201, "")
	if made.Body["email_verified"] != false || made.Body["name"] != "Ada" || fmt.Sprint(made.Body["roles"]) != "[writer]" {
		t.Fatalf("got %s", made.Raw)
	}
	path := "/api/v1/admin/users/" + made.Body["id"].(string)
	root.Want("POST", "/api/v1/admin/users", map[string]any{"email": "ada@example.COM"}, 409, "email_taken")

	ada := w.Client()
	ada.SignIn("ada@example.com")
	got := root.Want("PATCH", path, map[string]any{"status": "disabled", "name": "Ada L.", "roles": []string{"writer", "publisher", "writer"}}, 200, "")
	if got.Body["status"] != "disabled" || got.Body["name"] != "Ada L." || fmt.Sprint(got.Body["roles"]) != "[publisher writer]" {
		t.Errorf("got %s", got.Raw)
	}
	ada.Want("POST", "/api/v1/knock", map[string]any{"email": "ada@example.com"}, 403, "account_disabled")
	if n := len(root.Want("GET", "/api/v1/admin/sessions?user_id="+made.Body["id"].(string), nil, 200, "").Items()); n != 0 {
		t.Errorf("a disabled person has %d sessions", n)
	}
	for _, body := range []string{`{}`, `{"status":null,"roles":null,"name":null}`} {
		if again := root.Want("PATCH", path, body, 200, ""); again.Raw != got.Raw {
			t.Errorf("%s changed something: %s", body, again.Raw)
		}
	}
	root.Want("DELETE", path, nil, 204, "")
	root.Want("GET", path, nil, 404, "not_found")
	root.Want("DELETE", path, nil, 404, "not_found")
}

func TestUsersRefuse(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root, ada := w.Person("root@example.com", ostiary.RoleAdmin), w.Person("ada@example.com")
	for _, x := range []struct{ name, method, body, code, location string }{
		{"no address", "POST", `{"name":"x"}`, "invalid_request", "body.email"},
		{"bad address", "POST", `{"email":"x"}`, "invalid_request", "body.email"},
		{"line break in address", "POST", `{"email":"a@example.com\nBcc: b@example.com"}`, "invalid_request", "body.email"},
		{"long name", "POST", `{"email":"x@example.com","name":"` + strings.Repeat("x", 201) + `"}`, "invalid_request", "body.name"},
		{"control character", "POST", `{"email":"x@example.com","name":"a\u0007"}`, "invalid_request", "body.name"},
		{"unknown role", "POST", `{"email":"x@example.com","roles":["nobody"]}`, "invalid_request", "body.roles"},
		{"verified by word", "POST", `{"email":"x@example.com","email_verified":true}`, "unknown_field", "body.email_verified"},
		{"password without passwords", "POST", `{"email":"x@example.com","password":"long enough for anybody"}`, "invalid_request", "body.password"},
		{"unknown status", "PATCH", `{"status":"dead"}`, "invalid_request", "body.status"},
		{"unknown role", "PATCH", `{"roles":["nobody"]}`, "invalid_request", "body.roles"},
		{"roles as text", "PATCH", `{"roles":"admin"}`, "invalid_request", "body.roles"},
		{"address", "PATCH", `{"email":"x@example.com"}`, "unknown_field", "body.email"},
		{"id", "PATCH", `{"id":"x"}`, "unknown_field", "body.id"},
	} {
		t.Run(x.method+" "+x.name, func(t *testing.T) {
			path := "/api/v1/admin/users"
			if x.method == "PATCH" {
				path += "/" + ada.ID
			}
			if r := root.Want(x.method, path, x.body, 400, x.code); r.Location() != x.location {
				t.Errorf("location %q, want %q: %s", r.Location(), x.location, r.Raw)
			}
		})
	}
	if n := len(all(root, "/users", 100)); n != 2 {
		t.Errorf("%d people: something was created", n)
	}
}

// A change of several fields happens as a whole or not at all.
func TestUpdateIsOneStep(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	before := root.Want("GET", "/api/v1/admin/users/"+root.ID, nil, 200, "").Raw
	root.Want("PATCH", "/api/v1/admin/users/"+root.ID, map[string]any{"name": "New", "status": "disabled"}, 409, "last_administrator")
	if after := root.Want("GET", "/api/v1/admin/users/"+root.ID, nil, 200, "").Raw; after != before {
		t.Errorf("got %s, want %s", after, before)
	}
}

// passwords is a method of passwords as the part knows it.
type passwords struct{ set map[string]string }

func (p *passwords) Prepare(_ context.Context, password string, words ...string) (string, error) {
	if len(password) < 12 || password == words[0] {
		return "", ostiary.Fail(400, "weak_password", "Too short.").At("body.password", "too short")
	}
	return "hash of " + password, nil
}

func (p *passwords) Put(_ context.Context, _ *ostiary.Tx, userID, hash string) error {
	p.set[userID] = hash
	return nil
}

func TestCreateWithPassword(t *testing.T) {
	t.Parallel()
	store := &passwords{set: map[string]string{}}
	w := apitest.New(t, divided, admin.New(admin.Config{Passwords: store}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	root.Want("POST", "/api/v1/admin/users", map[string]any{"email": "ada@example.com", "password": "short"}, 400, "weak_password")
	root.Want("POST", "/api/v1/admin/users", map[string]any{"email": "ada@example.com", "password": "ada@example.com"}, 400, "weak_password")
	if n := len(all(root, "/users", 100)); n != 1 {
		t.Fatalf("a person was created with a weak password")
	}
	r := root.Want("POST", "/api/v1/admin/users", map[string]any{"email": "ada@example.com", "password": "correct horse battery"}, 201, "")
	if got := store.set[r.Body["id"].(string)]; got != "hash of correct horse battery" || strings.Contains(r.Raw, "horse") {
		t.Errorf("got %q, %s", got, r.Raw)
	}
	root.Want("POST", "/api/v1/admin/users", map[string]any{"email": "bob@example.com"}, 201, "")
	if len(store.set) != 1 {
		t.Error("a person without a password got one")
	}
}

func TestCreateForTheRealMethod(t *testing.T) {
	t.Parallel()
	method, err := password.New(password.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := apitest.New(t, func(c *ostiary.Config) { c.Methods = append(c.Methods, method) }, admin.New(admin.Config{Passwords: method}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	root.Want("POST", "/api/v1/admin/users", map[string]any{"email": "ada@example.com", "password": "password1234"}, 400, "weak_password")
	root.Want("POST", "/api/v1/admin/users", map[string]any{"email": "ada@example.com", "password": "seven brass lanterns"}, 201, "")
	w.Client().Want("POST", "/api/v1/login", map[string]any{"email": "ada@example.com", "password": "seven brass lanterns"}, 200, "")
}
