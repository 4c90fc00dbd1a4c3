package apikey_test

import (
	"context"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/apikey"
)

const admins = "/api/v1/admin"

func TestServiceAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	made := root.Want("POST", admins+"/service-accounts", fields{"name": "deploy", "roles": []string{"writer"}}, 201, "")
	id := made.Body["id"].(string)
	if made.Body["email"] != "" || made.Body["name"] != "deploy" {
		t.Errorf("got %s", made.Raw)
	}
	r := root.Want("POST", admins+"/users/"+id+"/api-keys", fields{"name": "ci", "scopes": []string{"posts:update"}}, 201, "")
	key := r.Body["key"].(string)
	if status, u := guard(w.Auth, bearer(key), ostiary.Permission("posts:update")); status != 200 || u.ID != id {
		t.Errorf("got %d, %v", status, u)
	}
	if list := root.Want("GET", admins+"/users/"+id+"/api-keys", nil, 200, ""); len(list.Items()) != 1 {
		t.Errorf("got %s", list.Raw)
	}
	root.Want("DELETE", admins+"/users/"+id+"/api-keys/"+r.Body["id"].(string), nil, 204, "")
	w.with(key).Want("GET", "/api/v1/me", nil, 401, "invalid_token")
	root.Want("POST", admins+"/service-accounts", fields{"name": "x", "roles": []string{"admin"}}, 400, "invalid_request")
	root.Want("POST", admins+"/service-accounts", fields{"name": ""}, 400, "invalid_request")
	for _, path := range []string{"/users/nobody/api-keys", "/users/00000000-0000-7000-8000-000000000000/api-keys"} {
		root.Want("GET", admins+path, nil, 404, "not_found")
		root.Want("POST", admins+path, fields{"name": "x"}, 404, "not_found")
	}
}

// Whoever looks after keys cannot make himself one of somebody who may do more, nor one of a person.
func TestAdministratorsReach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	root, support, ada := w.Person("root@example.com", ostiary.RoleAdmin), w.Person("sue@example.com", "support"), w.Person("ada@example.com")
	strong := root.Want("POST", admins+"/service-accounts", fields{"name": "strong", "roles": []string{"writer"}}, 201, "").Body["id"].(string)
	weak := support.Want("POST", admins+"/service-accounts", fields{"name": "weak", "roles": []string{"reader"}}, 201, "").Body["id"].(string)
	support.Want("POST", admins+"/service-accounts", fields{"name": "x", "roles": []string{"writer"}}, 403, "forbidden")
	support.Want("POST", admins+"/users/"+weak+"/api-keys", fields{"name": "x", "scopes": []string{"*:*"}}, 201, "")
	support.Want("POST", admins+"/users/"+strong+"/api-keys", fields{"name": "x"}, 403, "forbidden")
	support.Want("POST", admins+"/users/"+ada.ID+"/api-keys", fields{"name": "x"}, 403, "forbidden")
	root.Want("POST", admins+"/users/"+ada.ID+"/api-keys", fields{"name": "x"}, 403, "forbidden")
	_, id := w.make(root, fields{})
	support.Want("DELETE", admins+"/users/"+root.ID+"/api-keys/"+id, nil, 403, "forbidden")
	ada.Want("GET", admins+"/users/"+weak+"/api-keys", nil, 403, "forbidden")
	ada.Want("POST", admins+"/service-accounts", fields{"name": "x"}, 403, "forbidden")
	_, own := w.make(ada, fields{})
	root.Want("DELETE", admins+"/users/"+ada.ID+"/api-keys/"+own, nil, 204, "")
}

// silent is a mail server that nobody reads.
type silent struct{}

func (silent) Deliver(context.Context, ostiary.Notice) error { return nil }

// An account without an address has none to confirm; one with an address that is not confirmed may not act either.
func TestServiceAccountWhereAddressesAreProven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{}, func(c *ostiary.Config) { c.RequireVerifiedEmail, c.Mailer = true, silent{} })
	var robot, person apikey.NewKey
	w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error {
		service, err := w.part.CreateService(ctx, t, apikey.Service{Name: "deploy"})
		if err != nil {
			return err
		}
		u, err := t.CreateUser(ctx, ostiary.NewUser{Email: "ada@example.com"}, nil)
		if err != nil {
			return err
		}
		if robot, err = w.part.Create(ctx, t.Tx, service.ID, apikey.Wish{Name: "ci"}); err != nil {
			return err
		}
		person, err = w.part.Create(ctx, t.Tx, u.ID, apikey.Wish{Name: "x"})
		return err
	})
	w.with(robot.Text).Want("GET", "/api/v1/me", nil, 200, "")
	w.with(person.Text).Want("GET", "/api/v1/me", nil, 401, "invalid_token")
}
