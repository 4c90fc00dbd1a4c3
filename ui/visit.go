package ui

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ostiary/ostiary"
)

// visit is one request of a page.
type visit struct {
	p *Part
	w http.ResponseWriter
	r *http.Request
	c *ostiary.Call // nil while an error is shown
}

// screen is what every template is given; Body is the page's own.
type screen struct {
	Product string
	Person  *ostiary.User // nil: nobody is signed in
	Body    any
}

// person is who is signed in, or nil.
func (v *visit) person() *ostiary.User {
	if v.c == nil || v.c.Principal == nil || v.c.Principal.SessionID == "" {
		return nil
	}
	return v.c.Principal.User
}

// show answers with a page. It is written only once it is complete.
func (v *visit) show(status int, page string, body any) error {
	var b bytes.Buffer
	s := screen{Product: v.p.engine.Product(), Person: v.person(), Body: body}
	if err := v.p.pages[page].Execute(&b, s); err != nil {
		return fmt.Errorf("draw page %s: %w", page, err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(status)
	_, err := v.w.Write(b.Bytes())
	return err
}

// secret marks a page whose address or form holds a token: nothing of it may leave with a Referer header.
func (v *visit) secret() { v.w.Header().Set("Referrer-Policy", "no-referrer") }

// next sends the browser to one of our pages, by GET.
func (v *visit) next(path string) error {
	return v.leave(v.p.engine.Path(path))
}

// leave sends the browser to a path on this host, which the engine has checked (R9).
func (v *visit) leave(to string) error {
	v.w.Header().Set("Cache-Control", "no-store")
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// done is the code of a sentence that the page before asked to be shown.
func (v *visit) done() string { return doneText(v.r.URL.Query().Get("done")) }

// returnTo is where the visitor wants to go, as the address or the form says it; "" when it says nothing, or when it is no
// place that we would go to.
func (v *visit) returnTo() string {
	wish := v.r.URL.Query().Get("return_to")
	if v.r.PostForm.Has("return_to") {
		wish = v.r.PostForm.Get("return_to")
	}
	if wish == "" || v.p.engine.SafeReturn(wish) != wish {
		return ""
	}
	return wish
}

// home goes where the visitor wanted to, or to the account page with a message.
func (v *visit) home(done string) error {
	if to := v.returnTo(); to != "" {
		return v.leave(to)
	}
	return v.next(withDone("/account", done))
}

func withDone(path, done string) string {
	if done == "" {
		return path
	}
	return path + "?done=" + url.QueryEscape(done)
}
