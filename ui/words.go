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
	case "device.trusted":
		return "Device allowed to skip the second step"
	case "device.distrusted":
		return "Device asked for the second step again"
	case "mfa.reset":
		return "Second step removed by an administrator"
	case "mfa.recovery_requested":
		return "Somebody asked to remove the second step"
	case "mfa.recovery_cancelled":
		return "Removal of the second step stopped"
	case "mfa.recovered":
		return "Second step removed after 72 hours"
	case "user.unlocked":
		return "Unlocked by an administrator"
	case "attack.account":
		return "Somebody tried many passwords for your account"
	case "identity.linked":
		return "Account connected with a provider"
	case "setup.completed":
		return "Became the first administrator"
	}
	return methodEventText(e.Kind)
}

// methodEventText knows what happens to passwords and addresses.
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
	}
	return factorEventText(kind)
}

// factorEventText knows what happens to second steps, passkeys and keys; others are named as they are.
func factorEventText(kind string) string {
	switch kind {
	case "mfa.enabled":
		return "Two-step sign-in turned on"
	case "mfa.disabled":
		return "App for two-step sign-in turned off"
	case "mfa.backup_codes_created":
		return "New backup codes made"
	case "mfa.backup_code_used":
		return "Signed in with a backup code"
	case "passkey.registered":
		return "Passkey added"
	case "passkey.updated":
		return "Passkey changed"
	case "passkey.deleted":
		return "Passkey removed"
	case "passkey.backup_changed":
		return "A passkey began or ceased to be on several devices"
	case "passkey.clone_suspected":
		return "A passkey was refused: there may be a copy of it"
	case "apikey.created":
		return "Key for a program made"
	case "apikey.rotated":
		return "Key for a program replaced"
	case "apikey.revoked":
		return "Key for a program switched off"
	case "apikey.suspended":
		return "Key for a program paused"
	case "apikey.confirmed":
		return "Key for a program works again"
	default:
		return kind
	}
}
