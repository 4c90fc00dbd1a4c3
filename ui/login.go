package ui

import (
	"net/http"
	"net/url"

	"github.com/ostiary/ostiary"
)

// loginView is the sign-in page. Again: the signed-in person proves once more who he is.
type loginView struct {
	Form     formView
	Again    bool
	Email    string // of the signed-in person
	SignUp   bool
	ReturnTo string // carried on to other pages
}

func loginForm() form {
	return form{name: "login", at: "/login", route: "login", hidden: []string{"return_to"}, inputs: []input{
		{Name: "email", Label: "E-mail address", Type: "email", Auto: "username"},
		{Name: "password", Label: "Password", Type: "password", Auto: "current-password"},
	}}
}

func againForm() form {
	return form{name: "again", at: "/login?again=1", route: "reauthenticate", hidden: []string{"return_to"}, inputs: []input{
		{Name: "password", Label: "Password", Type: "password", Auto: "current-password"},
	}}
}

func showLogin(v *visit) error {
	switch {
	case v.again() && v.person() != nil:
		return v.login(http.StatusOK, againForm(), nil)
	case v.person() != nil:
		code := v.r.URL.Query().Get("done")
		if !aboutAccount(code) {
			code = ""
		}
		return v.home(code)
	}
	return v.login(http.StatusOK, loginForm(), nil)
}

func (v *visit) again() bool { return v.r.URL.Query().Get("again") == "1" }

func (v *visit) login(status int, f form, refused *ostiary.Error) error {
	values := v.kept()
	view := loginView{Form: v.draw(f, values, refused), Again: f.route == "reauthenticate", SignUp: v.p.canSignUp(), ReturnTo: v.returnTo()}
	view.Form.Done = v.done()
	if view.Again {
		view.Email = v.person().Email
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
		return v.login(v.refusedStatus(refused), loginForm(), refused)
	}
	return v.entered(out, "")
}

func (v *visit) takeAgain() error {
	if v.person() == nil {
		return v.toLogin("not_authenticated", v.returnTo())
	}
	_, refused, err := v.submit(againForm())
	if err != nil {
		return err
	}
	if refused != nil && needsSignIn(refused.Code) {
		return v.toLogin("not_authenticated", v.returnTo())
	}
	if refused != nil {
		return v.login(v.refusedStatus(refused), againForm(), refused)
	}
	return v.home("proved")
}

// entered follows a sign-in: the visitor goes where he wanted to, or is told what is still missing.
func (v *visit) entered(out any, done string) error {
	outcome, _ := out.(*ostiary.Outcome)
	if outcome != nil && outcome.Pending != nil {
		return v.secondStep(outcome.Pending)
	}
	return v.home(done)
}
