package ostiary_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
)

const (
	askRecovery    = "/api/v1/mfa/recovery"
	finishRecovery = "/api/v1/mfa/recovery/finish"
	cancelRecovery = "/api/v1/mfa/recovery/cancel"
)

func (c *client) recovery(path, email string) reply {
	c.w.Helper()
	return c.do("POST", path, map[string]any{"mfa_token": c.ticket(email)})
}

// notice waits for a mail of a template.
func (w *world) notice(template string) ostiary.Notice {
	w.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		w.mails.mu.Lock()
		for _, n := range w.mails.sent {
			if n.Template == template {
				w.mails.mu.Unlock()
				return n
			}
		}
		w.mails.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	w.Fatalf("no mail %q was sent", template)
	return ostiary.Notice{}
}

func TestR32_RecoveryOfALostFactor(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	ada, c := w.enrolled("ada@example.com"), w.client()
	c.want(c.recovery(finishRecovery, "ada@example.com"), 404, "not_found")
	asked := c.want(c.recovery(askRecovery, "ada@example.com"), 202, "")
	if w.notice("mfa_recovery").To != "ada@example.com" {
		t.Error("the owner was not told")
	}
	if seen := ada.want(ada.do("GET", "/api/v1/mfa", nil), 200, ""); seen.body["recovery"] == nil || seen.body["enabled"] != true {
		t.Errorf("sessions are not told: %s", seen.raw)
	}
	w.clock.advance(72*time.Hour - time.Second)
	early := c.want(c.recovery(finishRecovery, "ada@example.com"), 403, "recovery_pending")
	if early.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", early.Header.Get("Retry-After"))
	}
	again := c.want(c.recovery(askRecovery, "ada@example.com"), 202, "")
	if again.raw != asked.raw {
		t.Errorf("a second request moved the first: %s, then %s", asked.raw, again.raw)
	}
	w.clock.advance(time.Second)
	ticket := c.ticket("ada@example.com")
	done := c.want(c.do("POST", finishRecovery, map[string]any{"mfa_token": ticket}), 200, "")
	if user, _ := done.body["user"].(map[string]any); user["mfa"] != false {
		t.Errorf("got %s", done.raw)
	}
	c.want(c.do("GET", "/api/v1/who", nil), 200, "")
	ada.want(ada.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
	c.want(c.do("POST", finishRecovery, map[string]any{"mfa_token": ticket}), 400, "invalid_ticket")
	w.notice("mfa_disabled")
	if in := w.client().knock("ada@example.com", ""); in.body["mfa_required"] != nil {
		t.Errorf("got %s", in.raw)
	}
}

func TestR32_RecoveryIsRefused(t *testing.T) {
	t.Parallel()
	mailed := func(w *world) string {
		_, token, _ := strings.Cut(w.notice("mfa_recovery").Data["Link"], "/recover?cancel=")
		return token
	}
	for name, no := range map[string]func(w *world, ada *client){
		"link of the mail": func(w *world, _ *client) {
			token, anon := mailed(w), w.client()
			anon.want(anon.do("POST", cancelRecovery, map[string]any{"token": token}), 204, "")
			anon.want(anon.do("POST", cancelRecovery, map[string]any{"token": token}), 400, "invalid_ticket")
		},
		"a session": func(_ *world, ada *client) { ada.want(ada.do("POST", cancelRecovery, nil), 204, "") },
		"signed out everywhere": func(_ *world, ada *client) {
			ada.want(ada.do("POST", "/api/v1/logout/all", nil), 204, "")
		},
		"password changed": func(_ *world, ada *client) { ada.want(ada.do("POST", "/api/v1/knock/change", nil), 204, "") },
		"factor added":     func(_ *world, ada *client) { ada.want(ada.do("POST", "/api/v1/sure", nil), 204, "") },
		"seven days":       func(w *world, _ *client) { w.clock.advance(96 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := twoSteps(t)
			ada, thief := w.enrolled("ada@example.com"), w.client()
			thief.want(thief.recovery(askRecovery, "ada@example.com"), 202, "")
			no(w, ada)
			w.clock.advance(72 * time.Hour)
			thief.want(thief.recovery(finishRecovery, "ada@example.com"), 404, "not_found")
			asked := thief.want(thief.recovery(askRecovery, "ada@example.com"), 202, "")
			ready, err := time.Parse(time.RFC3339Nano, asked.body["ready_at"].(string))
			if err != nil || ready.Before(w.clock.now().Add(72*time.Hour-time.Second)) {
				t.Errorf("a request after a refusal is ready at %s: %v", ready, err)
			}
		})
	}
}

func TestR32_RecoveryIsOneAccounts(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	ada, bob := w.enrolled("ada@example.com"), w.enrolled("bob@example.com")
	c := w.client()
	c.want(c.recovery(askRecovery, "ada@example.com"), 202, "")
	bob.want(bob.do("POST", cancelRecovery, nil), 204, "")
	anon := w.client()
	anon.want(anon.do("POST", cancelRecovery, nil), 401, "not_authenticated")
	anon.want(anon.do("POST", cancelRecovery, map[string]any{"token": "x"}), 400, "invalid_ticket")
	anon.want(anon.do("POST", askRecovery, map[string]any{"mfa_token": "x"}), 400, "invalid_ticket")
	w.clock.advance(72 * time.Hour)
	c.want(c.recovery(finishRecovery, "bob@example.com"), 404, "not_found")
	c.want(c.recovery(finishRecovery, "ada@example.com"), 200, "")
	ada.want(ada.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
	bob.want(bob.do("GET", "/api/v1/who", nil), 200, "")
	w.client().ticket("bob@example.com")
}

// Of many who finish with as many tickets, one is signed in by it.
func TestR32_RecoveryHasOneWinner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) { withFactor(cfg); cfg.InsecureNoRateLimits = true })
	w.enrolled("ada@example.com")
	c := w.client()
	c.want(c.recovery(askRecovery, "ada@example.com"), 202, "")
	w.clock.advance(72 * time.Hour)
	var tickets []any
	for range 32 {
		tickets = append(tickets, w.client().ticket("ada@example.com"))
	}
	var wins int
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, ticket := range tickets {
		group.Go(func() {
			r := w.client().do("POST", finishRecovery, map[string]any{"mfa_token": ticket})
			mu.Lock()
			defer mu.Unlock()
			if r.StatusCode == 200 {
				wins++
			}
		})
	}
	group.Wait()
	if wins != 1 {
		t.Fatalf("%d winners", wins)
	}
}

// Requests, and so mails, are bounded however often they are cancelled.
func TestR32_RequestsAreBounded(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	ada, thief := w.enrolled("ada@example.com"), w.client()
	for range 3 {
		thief.want(thief.recovery(askRecovery, "ada@example.com"), 202, "")
		ada.want(ada.do("POST", cancelRecovery, nil), 204, "")
	}
	r := thief.want(thief.recovery(askRecovery, "ada@example.com"), 429, "rate_limited")
	if wait, _ := strconv.Atoi(r.Header.Get("Retry-After")); wait < 1 {
		t.Errorf("Retry-After is %q", r.Header.Get("Retry-After"))
	}
}

func TestR32_AdministratorResetsFactors(t *testing.T) {
	t.Parallel()
	w := twoSteps(t)
	ada, laptop := w.enrolled("ada@example.com"), w.client()
	laptop.want(laptop.second(laptop.ticket("ada@example.com"), "nod", "yes", true), 200, "")
	ticket := w.client().ticket("ada@example.com")
	id := ada.do("GET", "/api/v1/who", nil).body["id"].(string)
	w.administer(func(ctx context.Context, tx *ostiary.AdminTx) error { return tx.ResetFactors(ctx, id) })
	w.notice("mfa_disabled")
	c := w.client()
	c.want(c.second(ticket, "nod", "yes", false), 400, "invalid_ticket")
	if in := c.knock("ada@example.com", ""); in.body["mfa_required"] != nil {
		t.Errorf("got %s", in.raw)
	}
	list := ada.want(ada.do("GET", "/api/v1/mfa/trusted-devices", nil), 200, "")
	if items, _ := list.body["items"].([]any); len(items) != 0 {
		t.Errorf("got %s", list.raw)
	}
}
