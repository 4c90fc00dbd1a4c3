package ui_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ostiary/ostiary/ui"
)

// TestStoryInABrowser is a whole life: set-up, sign-up, confirmation, two devices, a forgotten password, the end.
func TestStoryInABrowser(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	b := w.browser()
	b.setsUp()
	b.clicks(".leave button")
	b.isAt("/login?done=out")
	b.sees("You are signed out.")

	b.signsUpAndConfirms()
	b.changesPassword()
	b.endsOtherDevice()
	b.forgetsPassword()
	b.deletesAccount()
}

func (b *tab) setsUp() {
	b.Helper()
	b.opens("/setup#" + b.setupToken())
	b.isAt("/setup")
	b.types("setup-name", "Ada")
	b.types("setup-email", ada)
	b.types("setup-password", "short")
	b.sees("7 more characters.")
	b.clicks("button.main")
	b.sees("Use at least 12 characters.")
	if got := b.js("document.activeElement.id"); got != "setup-password" {
		b.Fatalf("the focus is on %q, want the mistake", got)
	}
	b.types("setup-password", firstPw)
	b.sees("A good length.")
	b.clicks("button.main")
	b.isAt("/account?done=setup")
	b.sees("You are the first administrator.", "Hello, Ada", "Chrome on Linux", "just now")
}

func (b *tab) signsUpAndConfirms() {
	b.Helper()
	b.clicks(`.beside a`)
	b.isAt("/signup")
	b.types("signup-email", grace)
	b.types("signup-password", firstPw)
	b.do(chromedp.Click(chromedp.CSS(".reveal")))
	if got := b.js("document.getElementById('signup-password').type"); got != "text" {
		b.Fatalf("the shown password is of type %q", got)
	}
	b.clicks("button.main")
	b.isAt("/account?done=welcome")
	b.sees("Welcome. Your account is ready.", "Not confirmed")
	b.opens(b.link("verify"))
	b.clicks("button.main")
	b.isAt("/account?done=verified")
	b.sees("Your address is confirmed.")
	b.clicks(".leave button")
	b.signsIn(grace, firstPw)
	b.isAt("/account")
}

func (b *tab) signsIn(email, pw string) {
	b.Helper()
	b.opens("/login")
	b.types("login-email", email)
	b.types("login-password", pw)
	b.clicks("button.main")
}

func (b *tab) changesPassword() {
	b.Helper()
	b.types("password-current_password", "not it")
	b.types("password-new_password", secondPw)
	b.clicks(`button[value="password"]`)
	b.isAt("/account")
	b.sees("This is not your password.")
	if got := b.js("document.activeElement.id"); got != "password-current_password" {
		b.Fatalf("the focus is on %q, want the mistake", got)
	}
	b.types("password-current_password", firstPw)
	b.types("password-new_password", secondPw)
	b.clicks(`button[value="password"]`)
	b.isAt("/account?done=password#security")
	b.sees("Your password is changed")
}

func (b *tab) endsOtherDevice() {
	b.Helper()
	other := b.other()
	other.signsIn(grace, secondPw)
	other.isAt("/account")
	b.opens("/account")
	if got := b.js("String(document.querySelectorAll('#sessions li').length)"); got != "2" {
		b.Fatalf("%s devices are listed, want 2:\n%s", got, b.text())
	}
	b.clicks(`#sessions li:last-child button`)
	b.isAt("/account?done=session#sessions")
	b.sees("That device is signed out.")
	other.opens("/account")
	other.isAt("/login")
}

func (b *tab) forgetsPassword() {
	b.Helper()
	b.clicks(".leave button")
	b.clicks(".after a")
	b.isAt("/forgot")
	b.types("forgot-email", grace)
	b.clicks("button.main")
	b.isAt("/forgot?done=sent")
	b.opens(b.link("reset"))
	b.types("reset-password", firstPw)
	b.clicks("button.main")
	b.isAt("/login?done=reset")
	b.signsIn(grace, firstPw)
	b.isAt("/account")
}

func (b *tab) deletesAccount() {
	b.Helper()
	b.types("delete-confirm", grace)
	b.clicks("button.danger")
	b.isAt("/login?done=deleted")
	b.sees("Your account is deleted.")
	b.signsIn(grace, firstPw)
	b.sees("The address or the password is not right.")
}

// TestWithoutJavaScript walks the essential path with scripts turned off.
func TestWithoutJavaScript(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	b := w.browser()
	b.withoutScripts()
	b.opens("/setup")
	b.types("setup-token", w.setupToken())
	b.types("setup-email", ada)
	b.types("setup-password", firstPw)
	b.clicks("button.main")
	b.isAt("/account?done=setup")
	b.clicks(".leave button")
	b.isAt("/login?done=out")

	b.opens("/signup?return_to=/logout")
	b.types("signup-email", grace)
	b.types("signup-password", firstPw)
	b.clicks("button.main")
	b.isAt("/logout")
	b.clicks("main button")
	b.isAt("/login?done=out")
	b.signsIn(grace, "not the password")
	b.sees("The address or the password is not right.")
	b.types("login-password", firstPw)
	b.clicks("button.main")
	b.isAt("/account")
	b.sees(grace)
}
