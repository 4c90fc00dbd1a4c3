package ui

import (
	"net/netip"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
)

// sessionView is one place where the person is signed in.
type sessionView struct {
	ID, Device, Source string
	Since, Seen        time.Time
	Current            bool
}

// eventView is one thing that happened.
type eventView struct {
	Text, Source string
	At           time.Time
}

func place(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}

// device says in words what sent a User-Agent header: a help for recognising one's own devices, and no proof of anything.
func device(agent string) string {
	browser, system := match(agent, browsers()), match(agent, systems())
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	case system != "":
		return system
	default:
		return "Unknown device"
	}
}

// mark is a part of a User-Agent header and what it means. The first one that is found counts: most browsers also claim
// to be their predecessors.
type mark struct{ part, name string }

func match(agent string, marks []mark) string {
	for _, m := range marks {
		if strings.Contains(agent, m.part) {
			return m.name
		}
	}
	return ""
}

func browsers() []mark {
	return []mark{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"Vivaldi/", "Vivaldi"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chromium/", "Chromium"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
		{"curl/", "curl"},
		{"Go-http-client", "A Go program"},
		{"python", "A Python program"},
		{"okhttp", "An Android app"},
	}
}

func systems() []mark {
	return []mark{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"CrOS", "ChromeOS"},
		{"Windows", "Windows"},
		{"Macintosh", "Mac"},
		{"Linux", "Linux"},
	}
}

// eventText says in words what an event means to the person whom it concerns.
func eventText(e store.Event) string {
	switch e.Kind {
	case "session.created":
		return "Signed in"
	case "session.ended":
		if e.Detail["why"] == "replaced" {
			return "Earlier sign-in in the same browser ended"
		}
		return "Signed out"
	case "session.ended_all":
		return "Signed out on all other devices"
	case "session.reauthenticated":
		return "Proved again that it is you"
	case "token.reused":
		return "A stolen sign-in was noticed and ended"
	case "user.created":
		return "Account created"
	case "user.updated":
		return "Profile changed"
	case "user.disabled":
		return "Account disabled"
	case "user.enabled":
		return "Account enabled"
	case "user.roles_changed":
		return "Roles changed"
	case "user.email_verified", "user.first_proof":
		return "E-mail address confirmed"
	case "user.email_changed":
		return "E-mail address changed"
	case "identity.linked":
		return "Account connected with a provider"
	case "setup.completed":
		return "Became the first administrator"
	}
	return methodEventText(e.Kind)
}

// methodEventText knows the events of the methods; others are named as they are.
func methodEventText(kind string) string {
	switch kind {
	case "password.changed":
		return "Password changed"
	case "password.set":
		return "Password set"
	case "password.reset":
		return "Password set anew by a link in a mail"
	case "email.reverted":
		return "Change of the e-mail address taken back"
	case "signup.existing":
		return "Somebody tried to sign up with your address"
	default:
		return kind
	}
}
