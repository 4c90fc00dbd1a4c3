package ui

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/ostiary/ostiary"
)

// twoStepView sets up the second step with an app: what it is; the picture and the code; the backup codes, once.
type twoStepView struct {
	On      bool
	Start   *formView
	Confirm *formView
	Picture template.URL // of the secret, for the phone's camera
	Secret  string       // the same in groups of four, to be typed
	Address template.URL // the same, for an app on this very device
	Codes   []string
	Fresh   bool // the codes belong to a set-up that has just been done
}

func startForm() form {
	return form{name: "start", at: "/account/two-step", route: "mfa.totp.setup"}
}

func confirmForm() form {
	return form{name: "confirm", at: "/account/two-step", route: "mfa.totp.confirm", hidden: []string{"secret", "otpauth_url", "qr_code"}, inputs: []input{
		{Name: "code", Label: "Code from the app", Type: "text", Auto: "one-time-code", Digits: true, Hint: "Six digits. The app shows new ones every 30 seconds."},
	}}
}

func codesForm() form {
	return form{name: "codes", at: "/account/two-step", route: "mfa.backup-codes"}
}

func showTwoStep(v *visit) error { return v.twoStep(http.StatusOK, nil) }

// twoStep draws the first page: what will happen.
func (v *visit) twoStep(status int, refused *ostiary.Error) error {
	if v.person() == nil || !v.p.engine.Has("mfa.totp.setup") {
		return v.next("/account")
	}
	has, err := v.factors()
	if err != nil {
		return err
	}
	start := v.draw(startForm(), nil, refused)
	start.focusFirst()
	return v.show(status, "twostep", twoStepView{On: has.has(appCode), Start: &start})
}

func takeTwoStep(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	switch v.r.PostForm.Get("do") {
	case "confirm":
		return v.confirmTwoStep()
	case "codes":
		return v.newCodes()
	}
	out, refused, err := v.submitFresh(startForm(), "/account/two-step")
	if out == nil || refused != nil || err != nil {
		return v.orElse(err, refused, v.twoStep)
	}
	var made struct {
		Secret  string `json:"secret"`
		Address string `json:"otpauth_url"`
		Picture string `json:"qr_code"`
	}
	if err := reshape(out, &made); err != nil {
		return err
	}
	return v.scan(http.StatusOK, url.Values{"secret": {made.Secret}, "otpauth_url": {made.Address}, "qr_code": {made.Picture}}, nil)
}

// submitFresh sends a form whose route wants a fresh proof; without one the visitor is sent to give it, and out is nil.
func (v *visit) submitFresh(f form, back string) (out any, refused *ostiary.Error, err error) {
	out, refused, err = v.submit(f)
	if refused != nil && needsSignIn(refused.Code) {
		return nil, nil, v.toLogin(refused.Code, v.p.engine.Path(back))
	}
	return out, refused, err
}

// orElse ends what submitFresh began without a result.
func (v *visit) orElse(err error, refused *ostiary.Error, show func(status int, refused *ostiary.Error) error) error {
	if err != nil || refused == nil {
		return err
	}
	return show(v.refusedStatus(refused), refused)
}

// scan shows the secret as a picture and as text. It stays the same until a code was right: the app may have it already.
func (v *visit) scan(status int, values url.Values, refused *ostiary.Error) error {
	v.secret()
	picture, ok := dataPicture(values.Get("qr_code"))
	address := values.Get("otpauth_url")
	if !ok || !strings.HasPrefix(address, "otpauth://totp/") || refused != nil && refused.Code == "invalid_ticket" {
		return v.twoStep(http.StatusBadRequest, ostiary.Fail(http.StatusBadRequest, "invalid_request", "That took too long. Please start again, and remove the entry that your app made."))
	}
	drawn := v.draw(confirmForm(), values, refused)
	drawn.focusFirst()
	return v.show(status, "twostep", twoStepView{
		Confirm: &drawn, Picture: picture, Secret: inFours(values.Get("secret")), Address: template.URL(address), //nolint:gosec // the prefix says what it is
	})
}

func (v *visit) confirmTwoStep() error {
	out, refused, err := v.submitFresh(confirmForm(), "/account/two-step")
	if out == nil || refused != nil || err != nil {
		return v.orElse(err, refused, func(status int, refused *ostiary.Error) error {
			values := v.kept()
			values.Del("code")
			return v.scan(status, values, besideCode(refused))
		})
	}
	return v.codes(out, true)
}

func (v *visit) newCodes() error {
	out, refused, err := v.submitFresh(codesForm(), "/account#security")
	if out == nil || refused != nil || err != nil {
		return v.orElse(err, refused, v.twoStep)
	}
	return v.codes(out, false)
}

// codes shows the backup codes: the only time that anybody sees them.
func (v *visit) codes(out any, fresh bool) error {
	view := twoStepView{Fresh: fresh, On: true}
	var made struct {
		Codes []string `json:"backup_codes"`
	}
	if err := reshape(out, &made); err != nil {
		return err
	}
	view.Codes = made.Codes
	v.secret()
	return v.show(http.StatusOK, "codes", view)
}

// dataPicture is a PNG in an address, if it is nothing else: it went through a form.
func dataPicture(address string) (template.URL, bool) {
	text, ok := strings.CutPrefix(address, "data:image/png;base64,")
	if !ok {
		return "", false
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(text); err != nil {
		return "", false
	}
	return template.URL(address), true //nolint:gosec // checked above
}

// inFours makes a long text readable: "abcd efgh".
func inFours(text string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
