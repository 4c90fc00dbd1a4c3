package ui

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ostiary/ostiary"
)

// maxForm bounds the body of a form, in bytes.
const maxForm = 64 << 10

// form is a form as data: which route of the engine takes it, and what is typed into it.
type form struct {
	name   string // of the page, or of the section of a page
	at     string // path that it is sent to
	route  string // of the engine
	inputs []input
	hidden []string // kept from the address or the last try: return_to, token
	extra  []string // what the template draws by itself: boxes, lists
}

// input is one field of a form.
type input struct {
	Name, Label, Type, Auto, Hint string

	Optional bool
	Fresh    bool // a new password: its length is hinted at
	Digits   bool // a short number
	Choices  []pair
}

// formView is a form as it is drawn.
type formView struct {
	Name, Action string
	Fields       []fieldView
	Hidden       []pair
	Alert        string // why it was refused, when that is not about one field
	AlertFocus   bool
	Code         string // of the refusal
	Done         string // that it was done
}

type fieldView struct {
	input
	ID, Value, Error string
	Focus            bool
	Min              int // characters of a new password
}

type pair struct{ Name, Value string }

// draw makes a form ready to be shown. Passwords are never filled in again.
func (v *visit) draw(f form, values url.Values, refused *ostiary.Error) formView {
	view := formView{Name: f.name, Action: v.p.engine.Path(f.at)}
	for _, name := range f.hidden {
		if value := values.Get(name); value != "" {
			view.Hidden = append(view.Hidden, pair{name, value})
		}
	}
	errs := fieldErrors(refused)
	focus := false
	for _, in := range f.inputs {
		field := fieldView{input: in, ID: f.name + "-" + in.Name, Error: errs[in.Name]}
		delete(errs, in.Name)
		if in.Type != "password" && utf8.ValidString(values.Get(in.Name)) {
			field.Value = values.Get(in.Name)
		}
		if in.Fresh {
			field.Min = v.p.passwordMin
		}
		if field.Error != "" && !focus {
			focus, field.Focus = true, true
		}
		view.Fields = append(view.Fields, field)
	}
	if refused != nil && (!focus || len(errs) > 0) {
		view.Alert, view.Code = sentence(refused), refused.Code
	}
	return view
}

// fieldErrors are the engine's, by the name of the input.
func fieldErrors(refused *ostiary.Error) map[string]string {
	errs := map[string]string{}
	if refused == nil {
		return errs
	}
	for _, f := range refused.Fields {
		if name, ok := strings.CutPrefix(f.Location, "body."); ok && errs[name] == "" {
			errs[name] = upperFirst(f.Message)
		}
	}
	return errs
}

// upperFirst makes a sentence of "must be an address".
func upperFirst(s string) string {
	if s == "" {
		return "This is not valid."
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// sentence is what people are told, with how long to wait.
func sentence(e *ostiary.Error) string {
	if e.RetryAfter <= 0 {
		return e.Message
	}
	return e.Message + " You can try again in " + inWords(e.RetryAfter) + "."
}

func inWords(d time.Duration) string {
	n, unit := int((d+time.Second-1)/time.Second), "second"
	if n > 90 {
		n, unit = (n+59)/60, "minute"
	}
	if n > 90 && unit == "minute" {
		n, unit = (n+59)/60, "hour"
	}
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// read parses the body, which must be a plain form.
func (v *visit) read() error {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return ostiary.Fail(http.StatusUnsupportedMediaType, "unsupported_media_type", "This page takes only its own form.")
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	err = v.r.ParseForm()
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return ostiary.Fail(http.StatusRequestEntityTooLarge, "payload_too_large", "That is too much text.").Because(err)
	}
	if err != nil {
		return ostiary.Fail(http.StatusBadRequest, "invalid_request", "The form could not be read.").Because(err)
	}
	return nil
}

// submit hands the form to its route. A refusal is for the page to show; an error is one for the error page.
func (v *visit) submit(f form) (out any, refused *ostiary.Error, err error) {
	if refused := f.incomplete(v.r.PostForm); refused != nil {
		return nil, refused, nil
	}
	out, err = v.p.engine.Submit(v.w, v.r, v.c, f.route, f.pick(v.r.PostForm))
	if err == nil {
		return out, nil, nil
	}
	refused = f.pinpoint(v.p.engine.Problem(err))
	if refused.Status < http.StatusInternalServerError || worthTelling(refused.Code) {
		return nil, refused, nil
	}
	return nil, nil, err
}

// worthTelling says whether a fault of ours is explained beside the form, so that what was typed is kept.
func worthTelling(code string) bool { return code == "overloaded" || code == "mail_not_configured" }

// incomplete finds what was left empty, before anything is asked.
func (f form) incomplete(values url.Values) *ostiary.Error {
	var missing *ostiary.Error
	for _, in := range f.inputs {
		if in.Optional || values.Get(in.Name) != "" {
			continue
		}
		if missing == nil {
			missing = ostiary.Fail(http.StatusBadRequest, "invalid_request", "Something is missing.")
		}
		missing = missing.At("body."+in.Name, "Please fill this in.")
	}
	return missing
}

// pinpoint puts a wrong password beside its field where it can be nothing else: the person is known.
func (f form) pinpoint(refused *ostiary.Error) *ostiary.Error {
	secret := ""
	for _, in := range f.inputs {
		switch in.Auto {
		case "username":
			return refused
		case "current-password":
			secret = in.Name
		}
	}
	if refused.Code != "invalid_credentials" || secret == "" {
		return refused
	}
	return refused.At("body."+secret, "This is not your password.")
}

// pick takes what the form declares and nothing else: no field can smuggle in a delivery or an audience.
func (f form) pick(values url.Values) url.Values {
	picked := url.Values{}
	for _, in := range f.inputs {
		if values.Has(in.Name) {
			picked.Set(in.Name, values.Get(in.Name))
		}
	}
	for _, name := range f.hidden {
		if values.Has(name) {
			picked.Set(name, values.Get(name))
		}
	}
	for _, name := range f.extra {
		if values.Has(name) {
			picked[name] = values[name]
		}
	}
	return picked
}

// refusedStatus is the status of a page that shows a refusal. A page never answers 401, which would need a challenge that
// a browser understands (RFC 9110 §15.5.2).
func (v *visit) refusedStatus(e *ostiary.Error) int {
	setRetryAfter(v.w.Header(), e)
	if e.Status == http.StatusUnauthorized {
		return http.StatusForbidden
	}
	return e.Status
}
