package ui

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// How much the account page lists.
const (
	maxSessions = 200
	maxEvents   = 25
)

// accountView is the signed-in person's own page.
type accountView struct {
	Top      string // a message about no section
	Forms    map[string]formView
	Sessions []sessionView
	Events   []eventView
	securityView
}

// action is one form of the account page.
type action struct {
	form
	section string // anchor to come back to
	done    string // code of the message
	leaves  bool   // nobody is signed in afterwards
}

func accountActions() []action {
	return []action{
		{form: form{name: "profile", route: "me.update", inputs: []input{
			{Name: "name", Label: "Name", Type: "text", Auto: "name", Optional: true},
		}}, section: "profile", done: "profile"},
		{form: form{name: "resend", route: "email.verify.resend"}, section: "profile", done: "resend"},
		{form: form{name: "email", route: "email.change", inputs: []input{
			{Name: "email", Label: "New address", Type: "email", Auto: "email", Hint: "We send a link to the new address. Until you follow it, the present one stays."},
			{Name: "current_password", Label: "Your password", Type: "password", Auto: "current-password"},
		}}, section: "profile", done: "email"},
		{form: form{name: "password", route: "password.change", inputs: []input{
			{Name: "current_password", Label: "Current password", Type: "password", Auto: "current-password"},
			newPassword("new_password", "New password"),
		}}, section: "security", done: "password"},
		{form: form{name: "stop", route: "mfa.recovery.cancel"}, section: "security", done: "stopped"},
		{form: form{name: "twostepoff", route: "mfa.totp.delete"}, section: "security", done: "twostepoff"},
		{form: form{name: "rename", route: "passkeys.update", hidden: []string{"id"}, inputs: []input{
			{Name: "name", Label: "Name", Type: "text", Auto: "off"},
		}}, section: "passkeys", done: "rename"},
		{form: form{name: "demand", route: "passkeys.update", hidden: []string{"id", "factor"}}, section: "passkeys", done: "rename"},
		{form: form{name: "remove", route: "passkeys.delete", hidden: []string{"id"}}, section: "passkeys", done: "remove"},
		{form: form{name: "distrust", route: "mfa.trusted-devices.delete", hidden: []string{"id"}}, section: "sessions", done: "distrust"},
		{form: keyForm(), section: "keys"},
		{form: form{name: "replace", route: "apikeys.rotate", hidden: []string{"id"}}, section: "keys"},
		{form: form{name: "keep", route: "apikeys.confirm", hidden: []string{"id"}}, section: "keys", done: "keep"},
		{form: form{name: "revoke", route: "apikeys.delete", hidden: []string{"id"}}, section: "keys", done: "revoke"},
		{form: form{name: "everywhere", route: "logout.all"}, section: "security", done: "everywhere", leaves: true},
		{form: form{name: "session", route: "sessions.end", hidden: []string{"id"}}, section: "sessions", done: "session"},
		{form: form{name: "delete", route: "me.delete", inputs: []input{
			{Name: "confirm", Label: "Your e-mail address", Type: "email", Auto: "off"},
		}}, section: "delete", done: "deleted", leaves: true},
	}
}

func accountAction(name string) (action, bool) {
	for _, a := range accountActions() {
		if a.name == name {
			return a, true
		}
	}
	return action{}, false
}

func showAccount(v *visit) error {
	code := v.r.URL.Query().Get("done")
	return v.account(http.StatusOK, code, "", nil)
}

// account draws the page. tried names the form that was refused.
func (v *visit) account(status int, code, tried string, refused *ostiary.Error) error {
	if v.person() == nil {
		return ostiary.Fail(http.StatusForbidden, "forbidden", "This page is for people who signed in with a browser.")
	}
	methods, err := v.p.engine.Methods(v.r.Context(), v.person().ID)
	if err != nil {
		return err
	}
	view := accountView{Forms: map[string]formView{}, Top: doneText(code)}
	for _, a := range accountActions() {
		if !v.p.engine.Has(a.route) || a.name == "password" && !slices.Contains(methods, "password") {
			continue
		}
		drawn := v.drawAction(a, tried, refused)
		if code != "" && code == a.done && !a.leaves {
			drawn.Done, view.Top = doneText(code), ""
		}
		view.Forms[a.name] = drawn
	}
	if view.securityView, err = v.security(); err != nil {
		return err
	}
	if view.Sessions, err = v.sessions(v.r.Context()); err != nil {
		return err
	}
	if view.Events, err = v.events(v.r.Context()); err != nil {
		return err
	}
	return v.show(status, "account", view)
}

func (v *visit) drawAction(a action, tried string, refused *ostiary.Error) formView {
	a.at = "/account"
	if a.name == tried {
		drawn := v.draw(a.form, v.r.PostForm, refused)
		drawn.focusFirst()
		return drawn
	}
	values := url.Values{}
	if a.name == "profile" {
		values.Set("name", v.person().Name)
	}
	return v.draw(a.form, values, nil)
}

func (v *visit) sessions(ctx context.Context) ([]sessionView, error) {
	list, err := v.p.engine.Sessions(ctx, v.person().ID, "", maxSessions)
	if err != nil {
		return nil, err
	}
	views := make([]sessionView, 0, len(list))
	for _, s := range list {
		views = append(views, sessionView{
			ID: s.ID, Device: device(s.UserAgent), Source: place(s.Source), Since: s.CreatedAt, Seen: s.LastSeenAt,
			Current: s.ID == v.c.Principal.SessionID,
		})
	}
	slices.SortFunc(views, func(a, b sessionView) int {
		if a.Current != b.Current {
			if a.Current {
				return -1
			}
			return 1
		}
		return b.Seen.Compare(a.Seen)
	})
	return views, nil
}

func (v *visit) events(ctx context.Context) ([]eventView, error) {
	list, err := v.p.engine.Events(ctx, store.EventQuery{Subject: v.person().ID, Limit: maxEvents})
	if err != nil {
		return nil, err
	}
	views := make([]eventView, 0, len(list))
	for _, e := range list {
		views = append(views, eventView{Text: eventText(e), At: e.At, Source: place(e.Source)})
	}
	return views, nil
}

func takeAccount(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	a, ok := accountAction(v.r.PostForm.Get("do"))
	if !ok || !v.p.engine.Has(a.route) {
		return ostiary.Fail(http.StatusBadRequest, "invalid_request", "That form is not known here.")
	}
	if a.name == "delete" && !v.confirmed() {
		wrong := ostiary.Fail(http.StatusBadRequest, "invalid_request", "Nothing was deleted.")
		return v.account(wrong.Status, "", a.name, wrong.At("body.confirm", "This is not the address of your account."))
	}
	own := a.name == "session" && v.r.PostForm.Get("id") == v.c.Principal.SessionID
	if a.name == "makekey" {
		v.fillKey()
	}
	out, refused, err := v.submit(a.form)
	switch {
	case err != nil:
		return err
	case refused != nil && needsSignIn(refused.Code):
		return v.toLogin(refused.Code, v.p.engine.Path("/account")+"#"+a.section)
	case refused != nil:
		return v.account(v.refusedStatus(refused), "", a.name, refused)
	case a.name == "makekey" || a.name == "replace":
		return v.madeKey(out)
	case own:
		return v.next("/login?done=out")
	case a.leaves:
		return v.next(withDone("/login", a.done))
	}
	return v.next(withDone("/account", a.done) + "#" + a.section)
}

// confirmed says whether the typed address is the person's: a guard against haste, not against anybody.
func (v *visit) confirmed() bool {
	typed := strings.TrimSpace(v.r.PostForm.Get("confirm"))
	if typed == v.person().Email {
		return true
	}
	normal, err := v.p.engine.NormalEmail(typed)
	if err != nil {
		return false
	}
	own, err := v.p.engine.NormalEmail(v.person().Email)
	return err == nil && own == normal
}
