package ui

import (
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

func TestDevice(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"": "Unknown device", "x": "Unknown device", "curl/8.5.0": "curl", "Go-http-client/2.0": "A Go program",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":   "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15":           "Safari on Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile Safari/604.1": "Chrome on iPhone",
		"Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":           "Chrome on Android",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                          "Firefox on Linux",
	} {
		if got := device(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}

func TestEventText(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]store.Event{
		"Signed in": {Kind: "session.created"}, "Signed out": {Kind: "session.ended", Detail: map[string]string{"why": "revoked"}},
		"Earlier sign-in in the same browser ended": {Kind: "session.ended", Detail: map[string]string{"why": "replaced"}},
		"Password changed":                          {Kind: "password.changed"},
		"Passkey added":                             {Kind: "passkey.registered"},
		"Two-step sign-in turned on":                {Kind: "mfa.enabled"},
		"something.new":                             {Kind: "something.new"},
	} {
		if got := eventText(e); got != want {
			t.Errorf("%s is %q, want %q", e.Kind, got, want)
		}
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 second", 59 * time.Second: "59 seconds", 90 * time.Second: "90 seconds", 91 * time.Second: "2 minutes",
		3 * time.Minute: "3 minutes", 2 * time.Hour: "2 hours",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}
