package server_test

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/ostiarytest"
)

// Whoever has a mailbox signs in by it and chooses the password by it: that must not count as two factors (R28).
func TestAttack_MailboxAloneIsTwoFactors(t *testing.T) {
	t.Parallel()
	s := ostiarytest.New(t, nil)
	const ada = "ada@example.com"
	s.SignUp(t, ada)
	found, thief := canaries{}, s.Browser()
	const chosen = "lantern copper drizzle moth"
	found.say(t, s, thief, "/password/forgot", fields{"email": ada})
	token, _ := await(t, s, ada, "/reset?token=")
	found.say(t, s, thief, "/password/reset", fields{"token": token, "password": chosen})
	found.say(t, s, thief, "/magic-link", fields{"email": ada}, "ticket")
	token, _ = await(t, s, ada, "/magic?token=")
	found.say(t, s, thief, "/magic-link/consume", fields{"token": token}, "session_id")
	found.say(t, s, thief, "/reauthenticate", fields{"password": chosen}, "session_id")
	r := s.Call(t, thief, "GET", "/api/v1/sessions", nil)
	if text := string(r.Body); !strings.Contains(text, `"mail"`) || !strings.Contains(text, `"pwd"`) || strings.Contains(text, `"mfa"`) {
		t.Errorf("got %s", text)
	}
}
