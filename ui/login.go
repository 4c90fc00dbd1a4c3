package ui

import (
	"net/http"
	"net/url"

	"github.com/ostiary/ostiary"
)

// loginView is the sign-in page.
type loginView struct {
	Form     formView
	Passkey  *ceremony
	Magic    bool // a link can be sent by mail
	SignUp   bool
	ReturnTo string // carried on to other pages
}

func loginForm() form {
	return form{name: "login", at: "/login", route: "login", hidden: []string{"return_to"}, inputs: []input{
		{Name: "email", Label: "E-mail address", Type: "email", Auto: "username"},
		{Name: "password", Label: "Password", Type: "password", Auto: "current-password"},
	}}
}

func showLogin(v *visit) error {
	switch {
	case v.again() && v.person() != nil:
		return v.proveAgain(http.StatusOK, form{}, nil)
	case v.person() != nil:
		code := v.r.URL.Query().Get("done")
		if !aboutAccount(code) {
			code = ""
		}
		return v.home(code)
	}
	return v.login(http.StatusOK, nil)
}

func (v *visit) login(status int, refused *ostiary.Error) error {
	view := loginView{
		Form: v.draw(loginForm(), v.kept(), refused), Passkey: v.signInPasskey(), Magic: v.p.canMagic(), SignUp: v.p.canSignUp(), ReturnTo: v.returnTo(),
	}
	view.Form.Done = v.done()
	if view.Passkey != nil {
		view.Form.Fields[0].Auto = "username webauthn"
	}
	view.Form.focusFirst()
	return v.show(status, "login", view)
}

// kept is what a form is filled with: what was typed, or nothing but a checked return_to.
func (v *visit) kept() url.Values {
	values := url.Values{}
	for name := range v.r.PostForm {
		values.Set(name, v.r.PostForm.Get(name))
	}
	values.Set("return_to", v.returnTo())
	return values
}

// focusFirst puts the cursor into the first empty field, unless another one has a mistake; without fields, on the refusal.
func (f *formView) focusFirst() {
	f.AlertFocus = len(f.Fields) == 0 && f.Alert != ""
	for _, field := range f.Fields {
		if field.Focus {
			return
		}
	}
	for i := range f.Fields {
		if f.Fields[i].Value == "" {
			f.Fields[i].Focus = true
			return
		}
	}
}

func takeLogin(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	if v.again() {
		return v.takeAgain()
	}
	out, refused, err := v.submit(loginForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.login(v.refusedStatus(refused), refused)
	}
	return v.entered(out, "")
}

// entered follows a sign-in: the visitor goes where he wanted to, or is told what is still missing.
func (v *visit) entered(out any, done string) error {
	outcome, _ := out.(*ostiary.Outcome)
	if outcome != nil && outcome.Pending != nil {
		return v.secondStep(outcome.Pending)
	}
	return v.home(done)
}
