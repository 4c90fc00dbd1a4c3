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

// TestScreenshots writes a picture of every page, light and dark, wide and narrow, into the folder OSTIARY_SHOTS, for
// people to look at. It also holds every page to having no sideways scrolling on a phone of 360 px.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("OSTIARY_SHOTS")
	if dir == "" {
		t.Skip("OSTIARY_SHOTS names no folder for the pictures")
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
	b.shoot(dir, "account", func() { b.opens("/account") })
	b.shoot(dir, "account-refused", func() {
		b.opens("/account")
		b.types("password-current_password", "wrong")
		b.types("password-new_password", secondPw)
		b.clicks(`button[value="password"]`)
	})
	b.shoot(dir, "again", func() { b.opens("/login?again=1") })
	b.shoot(dir, "logout", func() { b.opens("/logout") })
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
	small := b.js(`[...document.querySelectorAll("button, input:not([type=hidden]):not(.offscreen), .button, nav a, summary")]
		.filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 44 && !e.matches(".reveal"))
		.map((e) => e.outerHTML).join("\n")`)
	if strings.TrimSpace(small) != "" {
		b.Errorf("%s has targets below 44 px: %s", name, small)
	}
}
