package ui

import (
	"net/http"

	"github.com/ostiary/ostiary"
)

// signUpView is the page on which an account is made.
type signUpView struct {
	Form     formView
	Passkey  *ceremony
	Closed   bool
	Sent     bool   // a mail is on its way; whether there was an account already is not said (R34)
	ReturnTo string // carried on to other pages
}

func signUpForm() form {
	return form{name: "signup", at: "/signup", route: "register", hidden: []string{"return_to"}, inputs: []input{
		{Name: "name", Label: "Name", Type: "text", Auto: "name", Optional: true},
		{Name: "email", Label: "E-mail address", Type: "email", Auto: "username"},
		newPassword("password", "Password"),
	}}
}

func newPassword(name, label string) input {
	return input{Name: name, Label: label, Type: "password", Auto: "new-password", Fresh: true}
}

func (p *Part) canSignUp() bool {
	policy, _ := p.engine.SignUp()
	return policy == ostiary.SignUpOpen && p.engine.Has("register")
}

func showSignUp(v *visit) error {
	if v.person() != nil {
		return v.home("")
	}
	return v.signUp(http.StatusOK, nil)
}

func (v *visit) signUp(status int, refused *ostiary.Error) error {
	view := signUpView{Form: v.draw(signUpForm(), v.kept(), refused), Passkey: v.signUpPasskey(), Closed: !v.p.canSignUp(), ReturnTo: v.returnTo()}
	view.Sent = v.r.URL.Query().Get("done") == "sent"
	view.Form.focusFirst()
	return v.show(status, "signup", view)
}

func takeSignUp(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	out, refused, err := v.submit(signUpForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.signUp(v.refusedStatus(refused), refused)
	}
	if out == nil {
		return v.next("/signup?done=sent")
	}
	return v.entered(out, "welcome")
}
