package totp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/apitest"
)

func TestBackupCodes(t *testing.T) {
	t.Parallel()
	w, post := newWorld(t, unlimited)
	c, _, first := enrol(w, ada)
	made := list(c.Want("POST", codes, nil, 200, ""))
	try := func(code string, status int) {
		t.Helper()
		b := w.Client()
		if r := second(b, ticket(b, ada), "backup_code", code); r.StatusCode != status {
			t.Fatalf("%q: got %d, want %d: %s", code, r.StatusCode, status, r.Raw)
		}
	}
	try(first[0], 401) // the old ones are dead
	try(strings.ToUpper(strings.ReplaceAll(made[0], "-", " ")), 200)
	try(made[0], 401)
	try("", 401)
	for _, code := range made[1:6] {
		try(code, 200)
	}
	if left := c.Want("GET", codes, nil, 200, ""); left.Body["left"] != 4.0 || left.Body["low"] != false {
		t.Errorf("got %s", left.Raw)
	}
	try(made[6], 200)
	if n := post.want(t, "backup_codes_low"); n.Data["Left"] != "3" {
		t.Errorf("got %v", n.Data)
	}
	for _, code := range made[7:] {
		try(code, 200)
	}
	if left := c.Want("GET", codes, nil, 200, ""); left.Body["left"] != 0.0 || left.Body["low"] != true {
		t.Errorf("got %s", left.Raw)
	}
}

func TestR29_BackupCodeHasOneWinner(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ostiary.Config){"memory": unlimited, "sqlite": onDisk(t)} {
		t.Run(name, func(t *testing.T) {
			w, _ := newWorld(t, change)
			_, _, made := enrol(w, ada)
			var tickets []any
			for range 32 {
				tickets = append(tickets, ticket(w.Client(), ada))
			}
			if won := race(32, func(i int) apitest.Reply { return second(w.Client(), tickets[i], "backup_code", made[0]) }); won != 1 {
				t.Errorf("%d winners", won)
			}
		})
	}
}

// Guessed codes do not lock the owner out: backup codes still work.
func TestR29_BackupCodesWorkWhenCodesAreUsedUp(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, nil)
	_, a, made := enrol(w, ada)
	w.Advance(time.Minute)
	c := w.Client()
	for range 2 {
		token := ticket(c, ada)
		for range 5 {
			want(t, second(c, token, "totp", "000000"), 401, "mfa_failed")
		}
	}
	token := ticket(c, ada)
	want(t, second(c, token, "totp", a.code(0)), 429, "rate_limited")
	want(t, second(c, token, "backup_code", made[0]), 200, "")
}

// A code that was shown by somebody who is signed in is used up, too.
func TestR28_BackupCodeAsAFreshProof(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t, unlimited)
	c, _, made := enrol(w, ada)
	w.Advance(time.Hour)
	c.Want("POST", again, map[string]any{"method": "backup_code", "code": made[0]}, 200, "")
	c.Want("POST", again, map[string]any{"method": "backup_code", "code": made[0]}, 401, "mfa_failed")
	c.Want("DELETE", remove, nil, 204, "")
}
