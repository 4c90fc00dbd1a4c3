package password_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary"
)

// move changes an address up to the end, and returns the token that undoes it.
func (w *world) move(c *client, from, to string) (revert string) {
	w.Helper()
	c.post("/email/change", fields{"email": to, "current_password": good}, 202, "")
	_, token := w.mail(to, "email_change")
	w.client().post("/email/verify", fields{"token": token}, 204, "")
	n, revert := w.mail(from, "email_changed")
	if n.Data["Email"] != to || n.Data["Expires"] != "7 days" || !strings.HasPrefix(n.Data["Link"], w.auth.Issuer()+"/email/revert?token=") {
		w.Errorf("mail data %v", n.Data)
	}
	return revert
}

func TestR32_ChangeOfAddressCanBeUndone(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		w := newWorld(t, s)
		c := w.person("old@example.com")
		revert := w.move(c, "old@example.com", "New@example.com")
		w.client().login("old@example.com", good, 401, "invalid_credentials")
		w.client().login("new@example.com", good, 200, "")
		if !c.signedIn() {
			t.Error("the change signed out")
		}
		w.clock.advance(7*24*time.Hour - time.Minute)
		w.client().post("/email/revert", fields{"token": revert}, 204, "")
		w.client().post("/email/revert", fields{"token": revert}, 400, "invalid_ticket")
		if c.signedIn() {
			t.Error("a session survived the way back")
		}
		in := w.client().login("old@example.com", good, 200, "")
		if in.body["user"].(map[string]any)["email_verified"] != true {
			t.Errorf("got %s", in.raw)
		}
	})
}

// A thief who moves an account twice can neither take the way back from its owner nor undo the owner's undoing.
func TestR32_TwoMovesDoNotHideTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	thief := w.person("owner@example.com")
	first := w.move(thief, "owner@example.com", "thief1@example.com")
	w.clock.advance(time.Minute)
	second := w.move(thief, "thief1@example.com", "thief2@example.com")
	w.clock.advance(time.Minute)
	w.client().post("/email/revert", fields{"token": first}, 204, "")
	w.client().post("/email/revert", fields{"token": second}, 400, "invalid_ticket")
	w.client().login("owner@example.com", good, 200, "")
	// A later change by the owner is his own again.
	w.clock.advance(time.Minute)
	c := w.client()
	c.login("owner@example.com", good, 200, "")
	third := w.move(c, "owner@example.com", "moved@example.com")
	w.client().post("/email/revert", fields{"token": third}, 204, "")
}

// A thief who registers the old address again does not keep its owner from coming back.
func TestR32_SquattingDoesNotStopTheWayBack(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, s settings) {
		w := newWorld(t, s)
		thief := w.person("owner@example.com")
		revert := w.move(thief, "owner@example.com", "thief@example.com")
		w.client().register("owner@example.com", other)
		w.mail("owner@example.com", "verify")
		w.client().post("/email/revert", fields{"token": revert}, 204, "")
		w.client().login("owner@example.com", other, 401, "invalid_credentials")
		w.client().login("owner@example.com", good, 200, "")
	})
}

func TestNoWayBackToAnAddressThatSomebodyElseProved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	revert := w.move(w.person("owner@example.com"), "owner@example.com", "new@example.com")
	w.person("owner@example.com")
	w.client().post("/email/revert", fields{"token": revert}, 409, "email_taken")
}

// Somebody without an address gets one.
func TestFirstAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{engine: func(c *ostiary.Config) { c.Methods = append(c.Methods, &knock{}) }})
	id := w.create("")
	c := w.client()
	c.post("/knock", fields{"id": id}, 200, "")
	c.post("/email/change", fields{"email": "ada@example.com"}, 202, "")
	_, token := w.mail("ada@example.com", "email_change")
	c.post("/email/verify", fields{"token": token}, 204, "")
	c.post("/password/change", fields{"new_password": good}, 204, "")
	c.login("ada@example.com", good, 200, "")
}

func TestChangeOfAddressNeedsProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.person("ada@example.com")
	w.client().post("/email/change", fields{"email": "b@example.com"}, 401, "not_authenticated")
	w.clock.advance(11 * time.Minute)
	r := c.post("/email/change", fields{"email": "b@example.com"}, 401, "reauthentication_required")
	if !strings.Contains(r.Header.Get("WWW-Authenticate"), "insufficient_user_authentication") {
		t.Errorf("challenge %q", r.Header.Get("WWW-Authenticate"))
	}
	c.post("/email/change", fields{"email": "b@example.com", "current_password": other}, 401, "invalid_credentials")
	c.post("/email/change", fields{"email": "b@example.com", "current_password": good}, 202, "")
	w.mail("b@example.com", "email_change")
	c.post("/reauthenticate", fields{"password": good}, 200, "")
	c.post("/email/change", fields{"email": "b@example.com"}, 202, "")
}

// Only the owner of a taken address learns that it is.
func TestChangeToTakenAddressTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.person("bob@example.com")
	c := w.person("ada@example.com")
	var free, taken reply
	a := w.cost(func() { free = c.post("/email/change", fields{"email": "free@example.com"}, 202, "") })
	w.mail("free@example.com", "email_change")
	b := w.cost(func() { taken = c.post("/email/change", fields{"email": "BOB@example.com"}, 202, "") })
	w.mail("bob@example.com", "email_taken")
	if diff := cmp.Diff(free.essence(), taken.essence()); diff != "" || a != b {
		t.Errorf("%s\n%v and %v", diff, a, b)
	}
}

func TestChangeToAddressThatWasTakenMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.person("ada@example.com")
	c.post("/email/change", fields{"email": "new@example.com"}, 202, "")
	_, token := w.mail("new@example.com", "email_change")
	w.client().register("new@example.com", good)
	c.post("/email/verify", fields{"token": token}, 409, "email_taken")
}

// What kills a pending change of address.
func TestR26_PendingChangeDies(t *testing.T) {
	t.Parallel()
	cases := map[string]func(w *world, c *client){
		"with time": func(w *world, _ *client) { w.clock.advance(24 * time.Hour) },
		"with a reset": func(w *world, c *client) {
			c.post("/password/reset", fields{"token": w.forgot("ada@example.com"), "password": other}, 204, "")
		},
		"with a new password": func(_ *world, c *client) {
			c.post("/password/change", fields{"current_password": good, "new_password": other}, 204, "")
		},
		"with another change": func(w *world, c *client) { w.move(c, "ada@example.com", "else@example.com") },
		"when disabled":       func(w *world, _ *client) { w.disable("ada@example.com", "disabled") },
	}
	for name, kill := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{})
			c := w.person("ada@example.com")
			c.post("/email/change", fields{"email": "new@example.com"}, 202, "")
			_, token := w.mail("new@example.com", "email_change")
			kill(w, c)
			w.client().post("/email/verify", fields{"token": token}, 400, "invalid_ticket")
		})
	}
}

// An address that was never proven may be a stranger's: it gets no way back into the account.
func TestUnprovenAddressGetsNoWayBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.client()
	c.register("typo@example.com", good)
	w.mail("typo@example.com", "verify")
	c.post("/email/change", fields{"email": "right@example.com"}, 202, "")
	_, token := w.mail("right@example.com", "email_change")
	if got := w.cost(func() { c.post("/email/verify", fields{"token": token}, 204, "") }); got.mails != 0 {
		t.Errorf("%d mails", got.mails)
	}
	c.login("right@example.com", good, 200, "")
}

func TestStaleVerificationLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.client()
	c.register("first@example.com", good)
	_, stale := w.mail("first@example.com", "verify")
	c.post("/email/change", fields{"email": "second@example.com"}, 202, "")
	_, token := w.mail("second@example.com", "email_change")
	c.post("/email/verify", fields{"token": token}, 204, "")
	c.post("/email/verify", fields{"token": stale}, 400, "invalid_ticket")
	c.register("third@example.com", good)
	_, old := w.mail("third@example.com", "verify")
	w.clock.advance(24 * time.Hour)
	c.post("/email/verify", fields{"token": old}, 400, "invalid_ticket")
}

func TestResend(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.client()
	c.register("ada@example.com", good)
	_, first := w.mail("ada@example.com", "verify")
	mine := c.post("/email/verify/resend", nil, 202, "")
	w.mail("ada@example.com", "verify")
	byAddress := w.client().post("/email/verify/resend", fields{"email": "ADA@example.com"}, 202, "")
	_, last := w.mail("ada@example.com", "verify")
	unknown := w.client().post("/email/verify/resend", fields{"email": "unknown@example.com"}, 202, "")
	for _, r := range []reply{byAddress, unknown} {
		if diff := cmp.Diff(mine.essence(), r.essence()); diff != "" {
			t.Error(diff)
		}
	}
	w.client().post("/email/verify/resend", fields{}, 401, "not_authenticated")
	c.post("/email/verify", fields{"token": last}, 204, "")
	c.post("/email/verify", fields{"token": first}, 204, "")
	if got := w.cost(func() { c.post("/email/verify/resend", nil, 202, "") }); got.mails != 0 || got.writes != 1 {
		t.Errorf("for a verified address: %v", got)
	}
	c.login("ada@example.com", good, 200, "")
}
