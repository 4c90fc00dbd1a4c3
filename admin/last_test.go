package admin_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/internal/apitest"
)

// Thirty-two administrators remove themselves at the same moment, on every path that there is. One is left.
func TestR31_OneAdministratorIsLeft(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, divided, admin.New(admin.Config{}), account.New())
	people := make([]*apitest.Client, 32)
	for i := range people {
		people[i] = w.Person(fmt.Sprintf("p%d@example.com", i), ostiary.RoleAdmin)
	}
	start := make(chan struct{})
	var done sync.WaitGroup
	kept := make([]bool, len(people))
	for i, c := range people {
		done.Go(func() {
			<-start
			path := "/api/v1/admin/users/" + c.ID
			var r apitest.Reply
			switch i % 4 {
			case 0:
				r = c.Do("PATCH", path, map[string]any{"roles": []string{}})
			case 1:
				r = c.Do("PATCH", path, map[string]any{"status": "disabled"})
			case 2:
				r = c.Do("DELETE", path, nil)
			case 3:
				r = c.Do("DELETE", "/api/v1/me", nil)
			}
			kept[i] = r.Code() == "last_administrator"
			if !kept[i] && r.StatusCode >= 300 {
				t.Errorf("%d: got %d %s", i, r.StatusCode, r.Raw)
			}
		})
	}
	close(start)
	done.Wait()
	left := -1
	for i := range kept {
		if kept[i] {
			if left >= 0 {
				t.Fatal("two were refused")
			}
			left = i
		}
	}
	if left < 0 {
		t.Fatal("nobody was refused")
	}
	admins := all(people[left], "/users?role=admin&status=active", 100)
	if len(admins) != 1 || admins[0]["id"] != people[left].ID {
		t.Fatalf("left are %v", admins)
	}
}
