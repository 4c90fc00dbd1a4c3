package password_test

import (
	"slices"
	"testing"

	"github.com/ostiary/ostiary/method/password"
)

// TestR38_KnownDevicesDoNotQueueBehindStrangers: the place in the pool is that of somebody we know once the browser has
// completed a sign-in to the very account, and for no other account.
func TestR38_KnownDevicesDoNotQueueBehindStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().register("ada@example.com", good)
	w.client().register("bob@example.com", good)
	reserved := password.Reserved(w.method)
	c := w.client()
	c.login("ada@example.com", good, 200, "")
	c.login("ADA@example.com", good, 200, "")
	c.login("bob@example.com", other, 401, "invalid_credentials")
	c.login("nobody@example.com", other, 401, "invalid_credentials")
	if got, want := reserved(), []bool{false, true, false, false}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
