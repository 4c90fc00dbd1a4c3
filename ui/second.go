package ui

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary"
)

// The second factors that the pages know how to ask for.
const (
	appCode    = "totp"
	backupCode = "backup_code"
	passkey    = "passkey"
)

// secondView asks for the second proof of a sign-in. Its ticket travels in a hidden field, never in an address.
type secondView struct {
	Code, Backup *formView // nil: not for this account
	Passkey      *ceremony
	TrustDays    int       // a device can be trusted for so long; 0: not at all
	Lost         *formView // begins the way back for somebody who lost the factor
	Gone         bool      // there is no sign-in that waits, or not any more
	Other        bool      // none of the factors is one that a page can ask for
	ReturnTo     string
}

func codeForm() form {
	return form{name: "code", at: "/mfa", route: "login.mfa", hidden: []string{"mfa_token", "methods", "trust", "return_to", "method"}, inputs: []input{
		{Name: "code", Label: "Six-digit code", Type: "text", Auto: "one-time-code", Digits: true},
	}, extra: []string{"trust_device"}}
}

func backupForm() form {
	return form{name: "backup", at: "/mfa", route: "login.mfa", hidden: []string{"mfa_token", "methods", "trust", "return_to", "method"}, inputs: []input{
		{Name: "code", Label: "Backup code", Type: "text", Auto: "off", Hint: "One of the codes that you saved when you set this up. Each works once."},
	}}
}

// secondStep follows a first proof of somebody who has a second factor. Nobody is signed in yet.
func (v *visit) secondStep(pending *ostiary.Pending) error {
	v.r.PostForm.Set("mfa_token", pending.MFAToken)
	v.r.PostForm.Set("methods", strings.Join(pending.Methods, " "))
	v.r.PostForm.Set("trust", strconv.Itoa(pending.TrustDevice))
	return v.second(http.StatusOK, form{}, nil)
}

func showSecond(v *visit) error {
	v.secret()
	return v.show(http.StatusOK, "mfa", secondView{Gone: true})
}

// second draws the page. tried is the form that was refused.
func (v *visit) second(status int, tried form, refused *ostiary.Error) error {
	v.secret()
	token := v.r.PostForm.Get("mfa_token")
	if token == "" || len(token) > maxToken || refused != nil && refused.Code == "invalid_ticket" {
		return v.show(status, "mfa", secondView{Gone: true, ReturnTo: v.returnTo()})
	}
	methods := strings.Fields(v.r.PostForm.Get("methods"))
	view := secondView{TrustDays: trustDays(v.r.PostForm.Get("trust")), ReturnTo: v.returnTo()}
	offered := func(method string) bool { return slices.Contains(methods, method) }
	if offered(appCode) {
		view.Code = v.drawSecond(codeForm(), appCode, tried, refused)
	}
	if offered(backupCode) {
		view.Backup = v.drawSecond(backupForm(), backupCode, tried, refused)
	}
	if offered(passkey) {
		view.Passkey = v.secondPasskey(token)
		view.Passkey.Main = view.Code == nil
	}
	view.Other = view.Code == nil && view.Backup == nil && view.Passkey == nil
	if v.p.engine.Has("mfa.recovery") {
		view.Lost = v.drawSecond(lostForm(), "", tried, refused)
	}
	if view.Code != nil && tried.name == "" {
		view.Code.focusFirst()
	}
	return v.show(status, "mfa", view)
}

func (v *visit) drawSecond(f form, method string, tried form, refused *ostiary.Error) *formView {
	values := v.kept()
	values.Del("code")
	values.Set("method", method)
	if f.name != tried.name {
		refused = nil
	}
	drawn := v.draw(f, values, refused)
	if refused != nil {
		drawn.focusFirst()
	}
	return &drawn
}

func takeSecond(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	tried := codeForm()
	switch v.r.PostForm.Get("do") {
	case "ask": // the page's script hands over a sign-in that it began
		return v.second(http.StatusOK, form{}, nil)
	case "lost":
		return v.takeLost()
	case "finish":
		return v.takeFinish()
	case backupCode:
		tried = backupForm()
	}
	out, refused, err := v.submit(tried)
	if err != nil {
		return err
	}
	if refused != nil {
		return v.second(v.refusedStatus(refused), tried, besideCode(refused))
	}
	return v.entered(out, "")
}

// besideCode puts a wrong code beside its field.
func besideCode(refused *ostiary.Error) *ostiary.Error {
	if refused.Code != "mfa_failed" {
		return refused
	}
	return refused.At("body.code", "That code is not right. Look at the newest one and try again.")
}

// trustDays makes days of the seconds for which a device can be trusted. They are only shown: the engine has its own.
func trustDays(seconds string) int {
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 0 {
		return 0
	}
	return min(n/(24*60*60), 30)
}
