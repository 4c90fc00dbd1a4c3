package ui_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/ostiary/ostiary/ui"
)

// setsUpApp turns two-step sign-in on and returns the app's secret, as it is written beside the picture.
func (b *tab) setsUpApp() (secret string) {
	b.Helper()
	b.opens("/account/two-step")
	b.clicks(`button[value="start"]`)
	b.sees("Scan this with your app")
	if got := b.js(`String(document.querySelector(".scan img").naturalWidth > 100)`); got != "true" {
		b.Fatal("the picture cannot be seen")
	}
	b.do(chromedp.Click(chromedp.CSS("summary")))
	secret = b.js(`document.getElementById("secret").textContent`)
	b.types("confirm-code", b.code(secret))
	b.clicks(`button[value="confirm"]`)
	b.sees("Two-step sign-in is on.", "You see them only now.")
	return secret
}

// TestTwoStepsInABrowser sets an app up, signs in with it, with a backup code, and turns it off.
func TestTwoStepsInABrowser(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	b := w.browser()
	b.opens("/signup")
	b.types("signup-email", ada)
	b.types("signup-password", firstPw)
	b.clicks("form > button.main")
	secret := b.setsUpApp()
	codes := strings.Fields(b.js(`document.getElementById("codes").textContent`))
	if len(codes) != 10 {
		b.Fatalf("codes: %v", codes)
	}
	b.clicks("a.main")
	b.isAt("/account#security")
	b.sees("10 backup codes are left.")

	other := b.other()
	other.signsIn(ada, firstPw)
	other.sees("One more step")
	if got := other.js("document.activeElement.id"); got != "code-code" {
		other.Errorf("the focus is on %q", got)
	}
	other.types("code-code", "123456")
	other.clicks(`button[value="totp"]`)
	other.sees("That code is not right.")
	other.types("code-code", w.code(secret))
	other.do(chromedp.Click(chromedp.CSS(".check input")))
	other.clicks(`button[value="totp"]`)
	other.isAt("/account")
	other.sees("Devices that skip the second step")
	other.clicks(".leave button")
	other.signsIn(ada, firstPw)
	other.isAt("/account")
	w.clock.advance(time.Minute)
	other.do(chromedp.Click(chromedp.CSS("#security details:last-of-type summary")))
	other.clicks(`button[value="twostepoff"]`)
	other.isAt("/login?again=1&return_to=%2Faccount%23security")
	other.types("code-code", w.code(secret))
	other.clicks("button.main")
	other.isAt("/account#security")
	other.do(chromedp.Click(chromedp.CSS("#security details:last-of-type summary")))
	other.clicks(`button[value="twostepoff"]`)
	other.sees("The app is turned off.")
}

// TestCodesWithoutJavaScript signs in with a code and with a backup code where scripts are turned off.
func TestCodesWithoutJavaScript(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	secret, codes := w.visitor().joinsInTwoSteps(ada)
	b := w.browser()
	b.withoutScripts()
	b.signsIn(ada, firstPw)
	b.types("code-code", w.code(secret))
	b.clicks(`button[value="totp"]`)
	b.isAt("/account")
	b.clicks(".leave button")
	b.signsIn(ada, firstPw)
	b.do(chromedp.Click(chromedp.CSS(".ways summary")))
	b.types("backup-code", strings.ToUpper(codes[3]))
	b.clicks(`button[value="backup_code"]`)
	b.isAt("/account")
	b.sees("9 backup codes are left.")
}

// TestMailInABrowser signs in with the link where it was asked for, and with the code where the link was opened elsewhere.
func TestMailInABrowser(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	w.visitor().joins(ada, firstPw)
	b := w.browser()
	ask := func() {
		b.opens("/login")
		b.clicks(".stack a.button")
		b.isAt("/magic")
		b.types("magic-email", ada)
		b.clicks("button.main")
		b.sees("Check your mail", ada)
	}
	ask()
	b.opens(b.link("magic_link"))
	b.clicks("button.main")
	b.isAt("/account")
	b.clicks(".leave button")

	ask()
	sent := w.mail("magic_link")
	other := b.other()
	other.opens(strings.TrimPrefix(sent.Data["Link"], w.auth.Issuer()))
	other.clicks("button.main")
	other.isAt("/magic")
	other.sees("The link does not work here", "type the six-digit code")
	b.types("code-code", sent.Data["Code"])
	b.clicks("button.main")
	b.isAt("/account")
}

// TestRecoveryInABrowser asks for the way back, stops it from the mail, and waits it out the second time.
func TestRecoveryInABrowser(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	w.visitor().joinsInTwoSteps(ada)
	b := w.browser()
	lost := func(button string) {
		b.signsIn(ada, firstPw)
		b.do(chromedp.Click(chromedp.CSS(".ways details:last-of-type summary")))
		b.clicks(`button[value="` + button + `"]`)
	}
	lost("lost")
	b.sees("The 72 hours have begun")
	b.opens(b.link("mfa_recovery"))
	b.clicks("button.main")
	b.isAt("/login?done=stopped")
	lost("finish")
	b.sees("Nobody has asked")
	lost("lost")
	w.clock.advance(73 * time.Hour)
	lost("finish")
	b.isAt("/account?done=recovered")
	b.sees("You are back.")
}
