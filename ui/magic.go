package ui

import (
	"net/http"

	"github.com/ostiary/ostiary"
)

// magicView signs in by mail. Its states: ask for the address; the mail is on its way, and the code can be typed here; the
// link was opened, and its button signs in.
type magicView struct {
	Ask      *formView
	Code     *formView
	Email    string // where the mail went, as it was typed
	Open     *formView
	Refused  bool // the link is too old, or was opened in another browser than the one that asked
	Mail     bool // mail can be sent at all
	ReturnTo string
}

func askMagicForm() form {
	return form{name: "magic", at: "/magic", route: "magiclink.request", hidden: []string{"return_to"}, inputs: []input{
		{Name: "email", Label: "E-mail address", Type: "email", Auto: "username"},
	}}
}

func magicCodeForm() form {
	return form{name: "code", at: "/magic", route: "magiclink.consume", hidden: []string{"ticket", "email", "return_to"}, inputs: []input{
		{Name: "code", Label: "Six-digit code from the mail", Type: "text", Auto: "one-time-code", Digits: true},
	}}
}

func openMagicForm() form {
	return form{name: "open", at: "/magic", route: "magiclink.consume", hidden: []string{"token", "return_to"}}
}

func (p *Part) canMagic() bool { return p.engine.Has("magiclink.request") && p.engine.CanMail() }

var errNoMagic = ostiary.Fail(http.StatusNotFound, "not_found", "There is nothing here.")

func showMagic(v *visit) error {
	if !v.p.engine.Has("magiclink.request") {
		return errNoMagic
	}
	token := v.r.URL.Query().Get("token")
	if token != "" && len(token) <= maxToken {
		return v.magicLink(http.StatusOK, token, nil)
	}
	if v.person() != nil {
		return v.home("")
	}
	return v.askMagic(http.StatusOK, nil)
}

func takeMagic(v *visit) error {
	if !v.p.engine.Has("magiclink.request") {
		return errNoMagic
	}
	if err := v.read(); err != nil {
		return err
	}
	switch v.r.PostForm.Get("do") {
	case "code":
		return v.takeMagicCode()
	case "open":
		return v.takeMagicLink()
	}
	out, refused, err := v.submit(askMagicForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.askMagic(v.refusedStatus(refused), refused)
	}
	var answer struct {
		Ticket string `json:"ticket"`
	}
	if err := reshape(out, &answer); err != nil {
		return err
	}
	v.r.PostForm.Set("ticket", answer.Ticket)
	return v.magicSent(http.StatusOK, nil)
}

func (v *visit) askMagic(status int, refused *ostiary.Error) error {
	drawn := v.draw(askMagicForm(), v.kept(), refused)
	drawn.focusFirst()
	return v.show(status, "magic", magicView{Ask: &drawn, Mail: v.p.engine.CanMail(), ReturnTo: v.returnTo()})
}

func (v *visit) magicSent(status int, refused *ostiary.Error) error {
	v.secret()
	values := v.kept()
	values.Del("code")
	drawn := v.draw(magicCodeForm(), values, refused)
	drawn.focusFirst()
	return v.show(status, "magic", magicView{Code: &drawn, Email: values.Get("email"), Mail: true, ReturnTo: v.returnTo()})
}

func (v *visit) takeMagicCode() error {
	out, refused, err := v.submit(magicCodeForm())
	if err != nil {
		return err
	}
	if refused != nil {
		if refused.Code == "invalid_ticket" {
			refused = refused.At("body.code", "That code is not right, or too old. After five tries, ask for another mail.")
		}
		return v.magicSent(v.refusedStatus(refused), refused)
	}
	return v.entered(out, "")
}

// magicLink is the page that the mail's link opens. Opening it uses nothing up: mail scanners open links, too.
func (v *visit) magicLink(status int, token string, refused *ostiary.Error) error {
	v.secret()
	values := v.kept()
	values.Set("token", token)
	drawn := v.draw(openMagicForm(), values, refused)
	drawn.focusFirst()
	return v.show(status, "magic", magicView{Open: &drawn, Refused: refused != nil, ReturnTo: v.returnTo()})
}

func (v *visit) takeMagicLink() error {
	out, refused, err := v.submit(openMagicForm())
	if err != nil {
		return err
	}
	if refused != nil {
		return v.magicLink(v.refusedStatus(refused), v.r.PostForm.Get("token"), refused)
	}
	return v.entered(out, "")
}
