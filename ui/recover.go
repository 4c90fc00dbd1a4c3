package ui

import (
	"cmp"
	"net/http"

	"github.com/ostiary/ostiary"
)

// forgotView asks for the address that a link is sent to.
type forgotView struct {
	Form formView
	Sent bool
	Mail bool // mail can be sent at all
}

func forgotForm() form {
	return form{name: "forgot", at: "/forgot", route: "password.forgot", inputs: []input{
		{Name: "email", Label: "E-mail address", Type: "email", Auto: "username"},
	}}
}

func showForgot(v *visit) error { return v.forgot(http.StatusOK, nil) }

func (v *visit) forgot(status int, refused *ostiary.Error) error {
	view := forgotView{Form: v.draw(forgotForm(), v.kept(), refused), Mail: v.p.engine.CanMail()}
	view.Sent = v.r.URL.Query().Get("done") == "sent"
	view.Form.focusFirst()
	return v.show(status, "forgot", view)
}

func takeForgot(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	_, refused, err := v.submit(forgotForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.forgot(v.refusedStatus(refused), refused)
	}
	return v.next("/forgot?done=sent")
}

// ticketView is a page that was opened by a link with a token in its query. Opening it uses nothing up; its button does.
type ticketView struct {
	Form    formView
	Missing bool // the link has no token
}

func resetForm() form {
	return form{name: "reset", at: "/reset", route: "password.reset", hidden: []string{"token"}, inputs: []input{
		newPassword("password", "New password"),
	}}
}

func verifyForm() form {
	return form{name: "verify", at: "/verify", route: "email.verify", hidden: []string{"token"}}
}

func revertForm() form {
	return form{name: "revert", at: "/email/revert", route: "email.revert", hidden: []string{"token"}}
}

func showReset(v *visit) error  { return v.ticket(http.StatusOK, resetForm(), nil) }
func showVerify(v *visit) error { return v.ticket(http.StatusOK, verifyForm(), nil) }
func showRevert(v *visit) error { return v.ticket(http.StatusOK, revertForm(), nil) }

func takeReset(v *visit) error  { return v.takeTicket(resetForm(), "reset") }
func takeVerify(v *visit) error { return v.takeTicket(verifyForm(), "verified") }
func takeRevert(v *visit) error { return v.takeTicket(revertForm(), "reverted") }

// maxToken is more than any token of ours has, in bytes.
const maxToken = 512

func (v *visit) ticket(status int, f form, refused *ostiary.Error) error {
	v.secret()
	values := v.kept()
	query := v.r.URL.Query()
	if token := cmp.Or(query.Get("token"), query.Get("cancel")); !values.Has("token") && len(token) <= maxToken {
		values.Set("token", token)
	}
	view := ticketView{Form: v.draw(f, values, refused), Missing: values.Get("token") == ""}
	view.Form.focusFirst()
	return v.show(status, f.name, view)
}

func (v *visit) takeTicket(f form, done string) error {
	if err := v.read(); err != nil {
		return err
	}
	_, refused, err := v.submit(f)
	if err != nil {
		return err
	}
	if refused != nil {
		return v.ticket(v.refusedStatus(refused), f, refused)
	}
	return v.next(withDone("/login", done))
}
