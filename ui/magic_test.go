package ui_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/ui"
)

func TestSignInByMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	w.visitor().joins(ada, firstPw)

	v := w.visitor()
	v.shows(v.get("/login?return_to=/todos"), 200, "Mail me a sign-in link", `href="/magic?return_to=%2ftodos"`)
	v.shows(v.get("/magic?return_to=/todos"), 200, "Sign in by mail", `value="/todos"`)
	v.shows(v.post("/magic", "do", "ask", "email", "not an address"), 400, `id="magic-email-error"`)
	asked := v.post("/magic", "do", "ask", "email", ada, "return_to", "/todos")
	v.shows(asked, 200, "Check your mail", "<b>"+ada+"</b>", `autocomplete="one-time-code"`, `inputmode="numeric"`)
	if asked.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Error("the page with the ticket sends a Referer header")
	}
	sent := w.mail("magic_link")
	a := v.post("/magic", hiddenOf(asked, "do", "code", "code", "000 00")...)
	v.shows(a, 400, `id="code-code-error"`, "That code is not right", ada)
	v.goes(v.post("/magic", hiddenOf(a, "do", "code", "code", sent.Data["Code"])...), "/todos")
	v.goes(v.get("/magic"), "/account")
}

func TestR30_LinkOfMailOnlyWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	w.visitor().joins(ada, firstPw)
	v, other := w.visitor(), w.visitor()
	asked := v.post("/magic", "do", "ask", "email", ada)
	link := w.link("magic_link")
	_, token, _ := strings.Cut(link, "token=")
	for range 3 { // a scanner that opens, and even presses the button
		a := other.get(link)
		other.shows(a, 200, "Sign in to Lighthouse", `value="open"`)
		if a.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Error("the link leaves with a Referer header")
		}
		a = other.post("/magic", "do", "open", "token", token)
		other.shows(a, 400, "The link does not work here", "in another browser", "six-digit code")
		if len(a.Cookies()) != 0 {
			t.Errorf("cookies: %v", a.Cookies())
		}
	}
	v.shows(v.get(link), 200, "Sign in to Lighthouse")
	v.goes(v.post("/magic", "do", "open", "token", token), "/account")
	again := w.visitor()
	again.shows(again.post("/magic", hiddenOf(asked, "do", "code", "code", "123456")...), 400, "That code is not right")
}

func TestSignInByMailTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	v.shows(v.post("/magic", "do", "ask", "email", grace), 200, "Check your mail", "If <b>"+grace+"</b> can sign in here")
	a := v.post("/magic", "do", "ask", "email", `"`+hostile+`"@example.com`)
	wellMade(t, a)
	for _, a := range []answer{a, v.get("/magic?token=" + strings.Repeat("a", 600)), v.post("/magic", "do", "code", "ticket", hostile, "email", hostile, "code", hostile), v.post("/magic", "do", "open", "token", hostile, "return_to", "//evil.example")} {
		wellMade(t, a)
		if strings.Contains(a.text, "<script>alert") || strings.Contains(a.text, "evil.example") {
			t.Errorf("not escaped: %s", a.text)
		}
	}
}

func TestSignInByMailLeadsToTheSecondStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	secret, _ := w.visitor().joinsInTwoSteps(ada)
	v := w.visitor()
	asked := v.post("/magic", "do", "ask", "email", ada, "return_to", "/todos")
	code := w.mail("magic_link").Data["Code"]
	a := v.post("/magic", hiddenOf(asked, "do", "code", "code", code)...)
	v.shows(a, 200, "One more step")
	v.goes(v.get("/account"), "/login")
	v.goes(v.post("/mfa", hiddenOf(a, "do", "totp", "code", w.code(secret))...), "/todos")
}

func TestSignInByMailExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	w.visitor().joins(ada, firstPw)
	v := w.visitor()
	v.shows(v.post("/magic", "do", "ask", "email", ada), 200, "Check your mail")
	_, token, _ := strings.Cut(w.link("magic_link"), "token=")
	w.clock.advance(16 * time.Minute)
	v.shows(v.post("/magic", "do", "open", "token", token), 400, "The link does not work here", "ask for a new one")
}

func TestWhatIsNotConfiguredIsNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) {
		c.Methods, c.Parts = c.Methods[:1], []ostiary.Part{c.Parts[0], c.Parts[2]}
	})
	v := w.visitor()
	login := v.get("/login")
	v.shows(login, 200, "Sign in")
	v.shows(v.get("/magic"), 404, "This page does not exist")
	v.shows(v.post("/magic", "do", "ask", "email", ada), 404)
	v.joins(ada, firstPw)
	account := v.get("/account")
	v.shows(account, 200, ada)
	v.goes(v.get("/account/two-step"), "/account")
	for _, word := range []string{"passkey", "Passkey", "sign-in link", "Two-step", "Keys for programs", "skip the second step"} {
		if strings.Contains(login.text+account.text, word) {
			t.Errorf("%q is shown", word)
		}
	}
}
