package passkey_test

import (
	"path/filepath"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/ostiarytest"
	"github.com/ostiary/ostiary/store/sqlite"
)

func mailless(c *ostiary.Config) { c.Mailer = nil }

func TestR31_TheLastWayInStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mailless)
	c := w.SignUpWithPasskey(t, ada, &ostiarytest.Authenticator{})
	only := w.passkeys(c)[0].ID
	w.want(c, "DELETE", "/passkeys/"+only, nil, 409, "last_way_in")
	second := w.AddPasskey(t, c, &ostiarytest.Authenticator{})
	w.want(c, "DELETE", "/passkeys/"+only, nil, 204, "")
	w.want(c, "DELETE", "/passkeys/"+second, nil, 409, "last_way_in")
	w.want(c, "POST", "/password/change", fields{"new_password": ostiarytest.Password}, 204, "")
	w.want(c, "DELETE", "/passkeys/"+second, nil, 204, "")
	w.me(w.SignIn(t, ada))
}

func TestR31_AVerifiedMailboxIsAWayIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.SignUpWithPasskey(t, ada, &ostiarytest.Authenticator{})
	w.want(c, "DELETE", "/passkeys/"+w.passkeys(c)[0].ID, nil, 204, "")
}

func TestR31_AnUnverifiedMailboxIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.Browser()
	b := w.begin(c, "/register/passkey/begin", fields{"email": ada})
	w.finish(c, "/register/passkey/finish", b.Ticket, new(ostiarytest.Authenticator).Create(t, w.Origin, b.PublicKey), 201, "")
	w.want(c, "DELETE", "/passkeys/"+w.passkeys(c)[0].ID, nil, 409, "last_way_in")
}

func TestR31_ParallelRemovalsLeaveOneWayIn(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		removeAll(t, newWorld(t, mailless))
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		removeAll(t, newWorld(t, func(c *ostiary.Config) { c.Store, c.Mailer = db, nil }))
	})
}

func removeAll(t *testing.T, w *world) {
	t.Helper()
	device := &ostiarytest.Authenticator{}
	c := w.SignUpWithPasskey(t, ada, device)
	for range 24 {
		w.AddPasskey(t, c, device)
	}
	list := w.passkeys(c)
	removed := together(len(list), 204, func(i int) int {
		return w.Call(t, c, "DELETE", "/api/v1/passkeys/"+list[i].ID, nil).Status
	})
	if left := w.passkeys(c); removed != 24 || len(left) != 1 {
		t.Errorf("removed %d of 25, %d are left", removed, len(left))
	}
}
