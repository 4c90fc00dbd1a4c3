package ui

import (
	"net/http"

	"github.com/ostiary/ostiary"
)

// setupView makes the first administrator. Closed: there was one (R36).
type setupView struct {
	Form   formView
	Closed bool
}

func setupForm() form {
	return form{name: "setup", at: "/setup", route: "setup", inputs: []input{
		{Name: "token", Label: "Set-up code", Type: "text", Auto: "off", Hint: "The part of the set-up link behind the # sign."},
		{Name: "name", Label: "Name", Type: "text", Auto: "name", Optional: true},
		{Name: "email", Label: "E-mail address", Type: "email", Auto: "username"},
		newPassword("password", "Password"),
	}}
}

func showSetup(v *visit) error { return v.setup(http.StatusOK, nil) }

func (v *visit) setup(status int, refused *ostiary.Error) error {
	v.secret()
	open, err := v.p.engine.SetupOpen(v.r.Context())
	if err != nil {
		return err
	}
	if !open || !v.p.engine.Has("setup") {
		return v.show(http.StatusGone, "setup", setupView{Closed: true})
	}
	view := setupView{Form: v.draw(setupForm(), v.kept(), refused)}
	if refused != nil { // else the page's script decides, which may bring the code
		view.Form.focusFirst()
	}
	return v.show(status, "setup", view)
}

func takeSetup(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	out, refused, err := v.submit(setupForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.setup(v.refusedStatus(refused), refused)
	}
	return v.entered(out, "setup")
}
