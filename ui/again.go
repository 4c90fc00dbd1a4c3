package ui

import (
	"slices"

	"github.com/ostiary/ostiary"
)

// againView asks the signed-in person to prove once more that it is he, at the highest level that he enrolled (R28).
type againView struct {
	Email                  string
	Password, Code, Backup *formView // nil: not for this account
	Passkey                *ceremony
}

func (v *visit) again() bool { return v.r.URL.Query().Get("again") == "1" }

func againForm(name string, field input) form {
	return form{name: name, at: "/login?again=1", route: "reauthenticate", hidden: []string{"return_to", "method"}, inputs: []input{field}}
}

func againPassword() form {
	return againForm("again", input{Name: "password", Label: "Password", Type: "password", Auto: "current-password"})
}

func againCode() form   { return againForm("code", codeForm().inputs[0]) }
func againBackup() form { return againForm("backup", backupForm().inputs[0]) }

// factors are what the person has enrolled, as the API says it.
type factors struct {
	Enabled  bool      `json:"enabled"`
	Methods  []string  `json:"methods"`
	Recovery *recovery `json:"recovery"`
}

func (f factors) has(method string) bool { return slices.Contains(f.Methods, method) }

func (v *visit) factors() (factors, error) {
	f := factors{Enabled: v.person().MFA}
	return f, v.ask("mfa.get", &f)
}

func (v *visit) proveAgain(status int, tried form, refused *ostiary.Error) error {
	has, err := v.factors()
	if err != nil {
		return err
	}
	methods, err := v.p.engine.Methods(v.r.Context(), v.person().ID)
	if err != nil {
		return err
	}
	view := againView{Email: v.person().Email}
	if slices.Contains(methods, "password") && !has.Enabled {
		view.Password = v.drawSecond(againPassword(), "", tried, refused)
		view.Password.Done = v.done()
	}
	if has.has(appCode) {
		view.Code = v.drawSecond(againCode(), appCode, tried, refused)
	}
	if has.has(backupCode) {
		view.Backup = v.drawSecond(againBackup(), backupCode, tried, refused)
	}
	if has.has(passkey) || slices.Contains(methods, passkey) && !has.Enabled {
		view.Passkey = v.againPasskey()
		view.Passkey.Main = view.Password == nil && view.Code == nil
	}
	for _, first := range []*formView{view.Password, view.Code} {
		if first != nil && tried.name == "" {
			first.focusFirst()
			break
		}
	}
	return v.show(status, "again", view)
}

func (v *visit) takeAgain() error {
	if v.person() == nil {
		return v.toLogin("not_authenticated", v.returnTo())
	}
	tried := againPassword()
	switch v.r.PostForm.Get("method") {
	case appCode:
		tried = againCode()
	case backupCode:
		tried = againBackup()
	}
	_, refused, err := v.submit(tried)
	if err != nil {
		return err
	}
	if refused != nil && needsSignIn(refused.Code) {
		return v.toLogin("not_authenticated", v.returnTo())
	}
	if refused != nil {
		return v.proveAgain(v.refusedStatus(refused), tried, besideCode(refused))
	}
	return v.home("proved")
}
