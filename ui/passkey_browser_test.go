package ui_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/ostiary/ostiary/ui"
)

// TestPasskeysInABrowser is a whole life of an account with passkeys: made with one, found by autofill, renamed, replaced.
func TestPasskeysInABrowser(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	b := w.browser()
	device := b.authenticator(true)
	b.opens("/signup?return_to=%2Faccount%3Fdone%3Dwelcome")
	b.clicksHere(".passkey button", "Please fill in your e-mail address first.")
	b.leavesBy(func() {
		b.types("signup-name", "Ada")
		b.types("signup-email", ada)
		b.do(chromedp.Click(chromedp.CSS(".passkey button")))
	})
	b.isAt("/account?done=welcome")
	b.sees("Hello, Ada", "not used yet")
	b.opens(b.link("verify"))
	b.clicks("button.main")
	b.isAt("/account?done=verified")

	b.leavesAlone(device)
	b.leavesBy(func() { device.present(true) }) // what the browser offers among its suggestions is chosen
	b.isAt("/account")

	b.leavesAlone(device)
	device.forgets()
	device.present(true)
	b.clicksHere(".passkey button", "this device has no passkey for this site")
	b.sees("Sign in")
}

// leavesAlone signs out while nobody is at the authenticator, so that nothing is chosen on the sign-in page.
func (b *tab) leavesAlone(device *authenticator) {
	b.Helper()
	device.present(false)
	b.clicks(".leave button")
	b.isAt("/login?done=out")
}

// TestPasskeysOnTheAccountPage adds, renames, demands and removes them, and uses one as the second step.
func TestPasskeysOnTheAccountPage(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	b := w.browser()
	device := b.authenticator(false) // a key that only knows that it was touched
	b.opens("/signup")
	b.types("signup-email", ada)
	b.types("signup-password", firstPw)
	b.clicks("form > button.main")
	b.opens(b.link("verify"))
	b.clicks("button.main")

	w.clock.advance(11 * time.Minute)
	b.clicks("#passkeys .passkey button")
	b.isAt("/login?again=1&return_to=/account%23passkeys")
	b.types("again-password", firstPw)
	b.clicks("button.main")
	b.isAt("/account#passkeys")
	b.clicks("#passkeys .passkey button")
	b.isAt("/account?done=passkey#passkeys")
	b.sees("Your passkey is saved.")
	b.clicksHere("#passkeys .passkey button", "has a passkey for your account already")

	b.do(chromedp.Click(chromedp.CSS("#passkeys summary")))
	b.do(chromedp.Clear(chromedp.CSS(`#passkeys input[name="name"]`)), chromedp.SendKeys(chromedp.CSS(`#passkeys input[name="name"]`), "The blue key"))
	b.clicks(`button[value="rename"]`)
	b.sees("The blue key")
	b.do(chromedp.Click(chromedp.CSS("#passkeys summary")))
	b.clicks(`button[name="factor"]`)
	b.sees("Second step", "After your password, signing in asks for a passkey.")

	b.leavesAlone(device)
	b.types("login-email", ada)
	b.types("login-password", firstPw)
	b.clicks("form > button.main")
	b.isAt("/login")
	b.sees("One more step", "Show your passkey")
	device.present(true)
	b.leavesBy(func() { b.do(chromedp.Click(chromedp.CSS(".passkey button"))) })
	b.isAt("/account")

	w.clock.advance(11 * time.Minute)
	b.do(chromedp.Click(chromedp.CSS("#passkeys summary")))
	b.clicks(`button[value="remove"]`)
	b.isAt("/login?again=1&return_to=%2Faccount%23passkeys")
	b.sees("show your passkey once more")
	b.leavesBy(func() { b.do(chromedp.Click(chromedp.CSS(".passkey button"))) })
	b.isAt("/account#passkeys")
	b.do(chromedp.Click(chromedp.CSS("#passkeys summary")))
	b.clicks(`button[value="remove"]`)
	b.sees("That passkey is removed.")
}

// TestPasskeyThatNeedsASecondStep hands a sign-in that the script began over to the page of the second step.
func TestPasskeyThatNeedsASecondStep(t *testing.T) {
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	b := w.browser()
	device := b.authenticator(true)
	b.opens("/signup")
	b.types("signup-email", ada)
	b.types("signup-password", firstPw)
	b.clicks("form > button.main")
	b.clicks("#passkeys .passkey button")
	device.unverified()
	secret := b.setsUpApp()
	b.clicks("a.main")
	b.leavesAlone(device)
	b.opens("/login?return_to=%2Faccount%2Ftwo-step")
	b.leavesBy(func() { device.present(true) })
	b.isAt("/mfa")
	b.sees("One more step")
	b.types("code-code", w.code(secret))
	b.clicks(`button[value="totp"]`)
	b.isAt("/account/two-step")
}
