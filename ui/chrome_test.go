package ui_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const chrome = "/usr/bin/chromium"

// needChrome skips where there is no browser, loudly; on CI that is a failure.
func needChrome(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short: the browser test is left out")
	}
	if _, err := os.Stat(chrome); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("NO BROWSER: %s is missing, and CI must run this test", chrome)
	}
	t.Skipf("NO BROWSER: %s is missing, so THE PAGES WERE NOT TESTED IN A BROWSER (apt install chromium)", chrome)
}

// tab is one browser context of a real browser: its own cookies. What it complains about is a failure.
type tab struct {
	*world
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func (w *world) browser() *tab {
	w.Helper()
	ctx, cancel := chromedp.NewContext(context.Background(),
		chromedp.WithAllocatorOptions(chromedp.ExecPath(chrome), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en")))
	w.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, 3*time.Minute)
	w.Cleanup(stop)
	return w.tabOf(ctx)
}

// other opens a second browser context beside the first: another device.
func (b *tab) other() *tab {
	b.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.Cleanup(cancel)
	return b.tabOf(ctx)
}

func (w *world) tabOf(ctx context.Context) *tab {
	w.Helper()
	b := &tab{world: w, ctx: ctx}
	b.must(chromedp.Listen(ctx, b.hear))
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdplog.Enable, cdp.Empty{})
		return err
	}))
	b.theme("light")
	w.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.complaints {
			w.Errorf("the browser complained: %s", c)
		}
	})
	return b
}

// hear keeps console errors, exceptions and what the browser itself reports: broken policies among it.
func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprintf("console.%s", e.Type))
	case *cdplog.EventEntryAdded:
		// A page that shows a refusal has a status of 4xx on purpose; Chromium logs it as a network error. Its advice to
		// authors of forms is verbose.
		ours := e.Entry.Source != cdplog.EntrySourceNetwork || strings.Contains(e.Entry.URL, "/assets/")
		if ours && e.Entry.Level != cdplog.EntryLevelVerbose {
			b.complaints = append(b.complaints, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	}
}

func (b *tab) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, steps...))
}

// opens goes to a path and waits until it is there.
func (b *tab) opens(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.auth.Issuer() + path))
}

// types fills a field of a form.
func (b *tab) types(id, text string) {
	b.Helper()
	b.do(chromedp.Clear(chromedp.ID(id)), chromedp.SendKeys(chromedp.ID(id), text))
}

// clicks presses the first thing that the selector finds, and waits for the page that follows.
func (b *tab) clicks(selector string) {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(chromedp.CSS(selector))))
	if err != nil {
		b.Fatalf("click %s: %v", selector, err)
	}
}

// sees waits for a text on the page.
func (b *tab) sees(texts ...string) {
	b.Helper()
	for _, text := range texts {
		if got := b.text(); !strings.Contains(got, text) {
			b.Fatalf("no %q at %s:\n%s", text, b.at(), got)
		}
	}
}

// clicksHere presses something that stays on this page, and waits for a text.
func (b *tab) clicksHere(selector, text string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
	b.awaits(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// awaits waits until an expression is true on the page.
func (b *tab) awaits(expression string) {
	b.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(10*time.Second))); err != nil {
		b.Fatalf("%s: %v\n%s", expression, err, b.text())
	}
}

// leavesBy does what a page asks a passkey for, until the page is left. On a busy machine a ceremony was twice seen not to end,
// for a cause that is not known; the page is then opened again and asks again, and the log says so.
func (b *tab) leavesBy(act func()) {
	b.Helper()
	from := b.at()
	for range 6 {
		act()
		for range 80 {
			if here, err := chromedp.Run(b.ctx, chromedp.Location()); err == nil && here != b.auth.Issuer()+from {
				b.awaits("document.readyState === 'complete'")
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		b.Logf("the ceremony at %s did not end; the page asks again", from)
		b.opens(from)
	}
	b.Fatalf("still at %s:\n%s", from, b.text())
}

func (b *tab) text() string {
	b.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("body")))
	b.must(err)
	return text
}

// at is the path, query and fragment of the page.
func (b *tab) at() string {
	b.Helper()
	at, err := chromedp.Run(b.ctx, chromedp.Location())
	b.must(err)
	return strings.TrimPrefix(at, b.auth.Issuer())
}

func (b *tab) isAt(path string) {
	b.Helper()
	if got := b.at(); got != path {
		b.Fatalf("at %s, want %s:\n%s", got, path, b.text())
	}
}

func (b *tab) js(expression string) string {
	b.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	b.must(err)
	return s
}

// withoutScripts turns JavaScript off.
func (b *tab) withoutScripts() {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// theme chooses light or dark. Smooth scrolling is off, so that a click meets what it aims at.
func (b *tab) theme(name string) {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}))
}
