package ui

import (
	"net/http"
	"time"
)

// recovery is the way back for somebody who lost a second factor: asked for, and due after three days (R32).
type recovery struct {
	RequestedAt time.Time `json:"requested_at"`
	ReadyAt     time.Time `json:"ready_at"`
	ExpiresAt   time.Time `json:"expires_at"`
}

func lostForm() form {
	return form{name: "lost", at: "/mfa", route: "mfa.recovery", hidden: []string{"mfa_token", "methods", "trust", "return_to"}}
}

func finishForm() form {
	return form{name: "finish", at: "/mfa", route: "mfa.recovery.finish", hidden: []string{"mfa_token", "methods", "trust", "return_to"}}
}

func cancelForm() form {
	return form{name: "cancel", at: "/recover", route: "mfa.recovery.cancel", hidden: []string{"token"}}
}

// takeLost begins the waiting.
func (v *visit) takeLost() error {
	out, refused, err := v.submit(lostForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.second(v.refusedStatus(refused), lostForm(), refused)
	}
	var asked recovery
	if err := reshape(out, &asked); err != nil {
		return err
	}
	return v.show(http.StatusOK, "lost", asked)
}

// takeFinish ends the waiting: the lost factor is removed, and the person is signed in and sets up a new one.
func (v *visit) takeFinish() error {
	out, refused, err := v.submit(finishForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.second(v.refusedStatus(refused), lostForm(), refused)
	}
	return v.entered(out, "recovered")
}

func showCancel(v *visit) error { return v.ticket(http.StatusOK, cancelForm(), nil) }
func takeCancel(v *visit) error { return v.takeTicket(cancelForm(), "stopped") }
