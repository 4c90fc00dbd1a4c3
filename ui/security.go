package ui

import "time"

// securityView is what somebody signs in with beside a password, as the API lists it.
type securityView struct {
	TwoStep  bool // signing in with a password asks for a second step
	App      bool // which an app on the phone can be
	Codes    backupCodes
	Recovery *recovery // somebody asked to remove the second step
	Passkeys []passkeyView
	Add      *ceremony // nil: there are no passkeys here
	Trusted  []trustedView
	Keys     []keyView
}

type backupCodes struct {
	Left int  `json:"left"`
	Low  bool `json:"low"`
}

type passkeyView struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Factor  bool       `json:"factor"` // signing in with a password asks for it, too
	Created time.Time  `json:"created_at"`
	Used    *time.Time `json:"last_used_at"`
}

type trustedView struct {
	ID      string    `json:"id"`
	Current bool      `json:"current"`
	Agent   string    `json:"user_agent"`
	Created time.Time `json:"created_at"`
	Expires time.Time `json:"expires_at"`
}

// Device is the browser in words.
func (t trustedView) Device() string { return device(t.Agent) }

// list is how the API answers with several things.
type list[T any] struct {
	Items []T `json:"items"`
}

func (v *visit) security() (securityView, error) {
	var s securityView
	has, err := v.factors()
	if err != nil {
		return s, err
	}
	s.TwoStep, s.App, s.Recovery = has.Enabled, has.has(appCode), has.Recovery
	if has.Enabled {
		if err := v.ask("mfa.backup-codes.get", &s.Codes); err != nil {
			return s, err
		}
	}
	var keys list[keyView]
	var passkeys list[passkeyView]
	var trusted list[trustedView]
	for route, into := range map[string]any{"passkeys.list": &passkeys, "mfa.trusted-devices.list": &trusted, "apikeys.list": &keys} {
		if err := v.ask(route, into); err != nil {
			return s, err
		}
	}
	s.Passkeys, s.Trusted, s.Keys = passkeys.Items, trusted.Items, keys.Items
	if v.p.engine.Has("passkey.register.begin") {
		s.Add = v.addPasskey()
	}
	return s, nil
}
