package ui_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ostiary/ostiary/ui"
)

// TestScreenshots writes a picture of every page, light and dark, wide and narrow, into the folder PICTURES, for
// people to look at. It also holds every page to having no sideways scrolling on a phone of 360 px.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("PICTURES")
	if dir == "" {
		t.Skip("PICTURES names no folder for the pictures")
	}
	needChrome(t)
	w := newWorld(t, ui.Config{}, nil)
	b := w.browser()
	b.shoot(dir, "setup", func() { b.opens("/setup#" + w.setupToken()) })
	for _, page := range []struct{ name, path string }{
		{"login", "/login"},
		{"login-out", "/login?done=out"},
		{"signup", "/signup"},
		{"signup-sent", "/signup?done=sent"},
		{"forgot", "/forgot"},
		{"forgot-sent", "/forgot?done=sent"},
		{"reset", "/reset?token=x"},
		{"reset-missing", "/reset"},
		{"verify", "/verify?token=x"},
		{"revert", "/email/revert?token=x"},
		{"error", "/nowhere"},
		{"magic", "/magic"},
		{"magic-link", "/magic?token=x"},
		{"second-gone", "/mfa"},
		{"recover", "/recover?cancel=x"},
	} {
		b.shoot(dir, page.name, func() { b.opens(page.path) })
	}
	b.shoot(dir, "login-refused", func() { b.signsIn(ada, "wrong") })
	b.shoot(dir, "signup-mistakes", func() {
		b.opens("/signup")
		b.types("signup-email", "ada")
		b.types("signup-password", "short")
		b.clicks("button.main")
		b.types("signup-password", "longer now, really")
	})
	b.opens("/signup")
	b.types("signup-name", "Ada Lovelace")
	b.types("signup-email", ada)
	b.types("signup-password", firstPw)
	b.clicks("button.main")
	b.shoot(dir, "account-welcome", func() { b.opens("/account?done=welcome") })
	b.opens(b.link("verify"))
	b.clicks("button.main")
	phone := w.visitor()
	phone.header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1")
	phone.post("/login", "email", ada, "password", firstPw)
	b.shootFactors(dir)
	b.shoot(dir, "account", func() { b.opens("/account") })
	b.shoot(dir, "account-refused", func() {
		b.opens("/account")
		b.types("password-current_password", "wrong")
		b.types("password-new_password", secondPw)
		b.clicks(`button[value="password"]`)
	})
	b.shoot(dir, "again", func() { b.opens("/login?again=1") })
	b.shoot(dir, "logout", func() { b.opens("/logout") })
	b.shootSecondSteps(dir)
}

// shootFactors fills the account page: a passkey, an app, a key for a program, a request to remove the second step.
func (b *tab) shootFactors(dir string) {
	b.Helper()
	b.authenticator(true)
	b.opens("/account")
	b.clicks("#passkeys .passkey button")
	b.shoot(dir, "two-step", func() { b.opens("/account/two-step") })
	b.shoot(dir, "two-step-scan", func() {
		b.opens("/account/two-step")
		b.clicks(`button[value="start"]`)
	})
	b.shoot(dir, "two-step-refused", func() {
		b.opens("/account/two-step")
		b.clicks(`button[value="start"]`)
		b.do(chromedp.Click(chromedp.CSS("summary")))
		b.types("confirm-code", "123456")
		b.clicks(`button[value="confirm"]`)
	})
	b.setsUpApp()
	b.shoot(dir, "codes", func() {
		b.opens("/account")
		b.clicks(`button[value="codes"]`)
	})
	b.shoot(dir, "key", func() {
		b.opens("/account")
		b.do(chromedp.Click(chromedp.CSS("#keys > details > summary")))
		b.types("makekey-name", "Backup script")
		b.clicks(`button[value="makekey"]`)
	})
	b.shoot(dir, "account-open", func() {
		b.opens("/account")
		b.js(`document.querySelectorAll("details").forEach((d) => { d.open = true; }), ""`)
	})
}

// shootSecondSteps shows what somebody meets who has two steps, from sign-in to a lost phone.
func (b *tab) shootSecondSteps(dir string) {
	b.Helper()
	device := b.other()
	device.shoot(dir, "second", func() { device.signsIn(ada, firstPw) })
	device.shoot(dir, "second-refused", func() {
		device.types("code-code", "000000")
		device.clicks(`button[value="totp"]`)
		device.js(`document.querySelectorAll("details").forEach((d) => { d.open = true; }), ""`)
	})
	device.shoot(dir, "lost", func() {
		device.signsIn(ada, firstPw)
		device.do(chromedp.Click(chromedp.CSS(".ways details:last-of-type summary")))
		device.clicks(`button[value="lost"]`)
	})
	device.shoot(dir, "magic-sent", func() {
		device.opens("/magic")
		device.types("magic-email", ada)
		device.clicks("button.main")
	})
	link := device.link("magic_link")
	other := device.other()
	other.shoot(dir, "magic-elsewhere", func() {
		other.opens(link)
		other.clicks("button.main")
	})
	b.shoot(dir, "account-alarm", func() { b.opens("/account") })
	b.clicks(".leave button")
}

func (b *tab) shoot(dir, name string, open func()) {
	b.Helper()
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			b.theme(theme)
			b.do(chromedp.EmulateViewport(width, 844))
			open()
			png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			b.must(err)
			b.must(os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, theme)), png, 0o600))
		}
	}
	b.do(chromedp.EmulateViewport(360, 740))
	if got := b.js(`String(document.documentElement.scrollWidth)`); got != "360" {
		b.Errorf("%s is %s px wide on a phone of 360", name, got)
	}
	small := b.js(`[...document.querySelectorAll("button, input:not([type=hidden], .offscreen, label *), select, label.check, .button, nav a, summary")]
		.filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 44 && !e.matches(".reveal"))
		.map((e) => e.outerHTML).join("\n")`)
	if strings.TrimSpace(small) != "" {
		b.Errorf("%s has targets below 44 px: %s", name, small)
	}
}
