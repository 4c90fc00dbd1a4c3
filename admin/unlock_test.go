package admin_test

import (
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/internal/apitest"
)

func TestUnlock(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}))
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	plain := w.Person("ada@example.com")
	path := "/api/v1/admin/users/" + plain.ID + "/unlock"
	plain.Want("POST", path, nil, 403, "forbidden")
	w.Client().Want("POST", path, nil, 401, "not_authenticated")
	root.Want("POST", path, nil, 204, "")
	root.Want("POST", "/api/v1/admin/users/x/unlock", nil, 404, "not_found")
	events := root.Want("GET", "/api/v1/admin/audit?kind=user.unlocked", nil, 200, "").Body["items"].([]any)
	if len(events) != 1 || events[0].(map[string]any)["actor"] != root.ID {
		t.Errorf("got %v", events)
	}
}
