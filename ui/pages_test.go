package ui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/ui"
)

const hostile = `"><script>alert(1)</script><b x='`

func TestPagesOfStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	for path, want := range map[string]string{
		"/login":                    "Forgot your password?",
		"/login?again=1":            "Sign in",
		"/login?done=out":           "You are signed out.",
		"/login?done=" + "%3Cb%3E":  "Sign in",
		"/signup":                   "At least 12 characters",
		"/signup?done=sent":         "Check your mail",
		"/forgot":                   "Send the link",
		"/forgot?done=sent":         "Check your mail",
		"/reset":                    "not complete",
		"/reset?token=abc":          "Save new password",
		"/verify":                   "not complete",
		"/verify?token=abc":         "Confirm address",
		"/email/revert":             "not complete",
		"/email/revert?token=abc":   "Take the change back",
		"/setup":                    "Create administrator",
		"/logout":                   "You are not signed in",
		"/login?return_to=%2Ftodos": `name="return_to" value="/todos"`,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			v := w.visitor()
			v.shows(v.get(path), 200, want, "Lighthouse")
		})
	}
}

func TestPagesWithTokensSendNoReferrer(t *testing.T) {
	t.Parallel()
	v := newWorld(t, ui.Config{}, nil).visitor()
	for _, path := range []string{"/reset?token=abc", "/verify?token=abc", "/email/revert?token=abc", "/setup"} {
		if got := v.get(path).Header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("%s: Referrer-Policy is %q", path, got)
		}
	}
	for _, path := range []string{"/reset", "/verify", "/email/revert"} {
		a := v.post(path, "token", "abc", "password", firstPw)
		if got := a.Header.Get("Referrer-Policy"); got != "no-referrer" || a.StatusCode != 400 {
			t.Errorf("POST %s: %d, Referrer-Policy is %q", path, a.StatusCode, got)
		}
		v.shows(a, 400, `role="alert"`, "wrong, was used before, or has expired")
	}
}

func TestHostileInputIsEscaped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.Product = hostile })
	v := w.visitor()
	q := url.QueryEscape(hostile)
	for name, a := range map[string]answer{
		"query":   v.get("/login?done=" + q + "&return_to=%2F" + q + "&again=" + q),
		"token":   v.get("/reset?token=" + q),
		"typed":   v.post("/login", "email", hostile, "password", hostile, "return_to", hostile),
		"sign up": v.post("/signup", "email", hostile, "name", hostile, "password", hostile),
		"forgot":  v.post("/forgot", "email", hostile),
		"path":    v.get("/" + url.PathEscape(hostile)),
		"set-up":  v.post("/setup", "token", hostile, "email", hostile, "password", hostile),
	} {
		if strings.Contains(a.text, "<script>alert") || strings.Contains(a.text, "<b x=") {
			t.Errorf("%s: not escaped: %s", name, a.text)
		}
		wellMade(t, a)
	}
	v.joins(ada, firstPw)
	v.goes(v.post("/account", "do", "profile", "name", hostile), "/account?done=profile#profile")
	a := v.get("/account")
	v.shows(a, 200, "&lt;script&gt;")
	if strings.Contains(a.text, "<script>alert") {
		t.Errorf("not escaped: %s", a.text)
	}
}

func TestFieldErrors(t *testing.T) {
	t.Parallel()
	v := newWorld(t, ui.Config{}, nil).visitor()
	a := v.post("/signup", "email", "not an address", "name", "Ada", "password", firstPw)
	v.shows(a, 400, `value="not an address"`, `value="Ada"`, `aria-invalid="true"`, `id="signup-email-error"`, "Must be an e-mail address")
	a = v.post("/signup", "email", ada, "password", "short")
	v.shows(a, 400, `id="signup-password-error"`, "Use at least 12 characters.", `value="`+ada+`"`)
	if strings.Contains(a.text, "short") {
		t.Error("the password is repeated")
	}
	v.shows(v.post("/login", "email", ada), 400, `id="login-password-error"`, "Please fill this in.")
	v.shows(v.post("/login", "email", ada, "password", "wrong"), 403, `role="alert"`, "The address or the password is not right.", `value="`+ada+`"`)
}

func TestWaitingIsExplained(t *testing.T) {
	t.Parallel()
	v := newWorld(t, ui.Config{}, nil).visitor()
	var a answer
	for range 7 {
		a = v.post("/login", "email", ada, "password", "wrong")
	}
	v.shows(a, 429, `role="alert"`, "You can try again in 3 minutes.")
	if a.Header.Get("Retry-After") != "180" {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
}

func TestR9_ReturnTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	w.visitor().joins(ada, firstPw)
	for _, wish := range []string{
		"//evil.example", "///evil.example", "https://evil.example", "http:evil.example", `/\evil.example`, `\/evil.example`, `\\evil.example`,
		"/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example",
		"/%5cevil.example", "/%2f/evil.example", "@evil.example", "/\x00", "/\x7f", "?x", "#x", "", "/" + strings.Repeat("a", 3000),
	} {
		v := w.visitor()
		a := v.post("/login", "email", ada, "password", firstPw, "return_to", wish)
		v.goes(a, "/account")
		v.goes(v.get("/login?return_to="+url.QueryEscape(wish)), "/account")
		again := v.post("/login?again=1&return_to="+url.QueryEscape(wish), "password", firstPw)
		v.goes(again, "/account?done=proved")
	}
	for _, wish := range []string{"/todos", "/todos?a=b&c=%2F", "/a/b#c"} {
		v := w.visitor()
		v.shows(v.get("/login?return_to="+url.QueryEscape(wish)), 200, `href="/signup?return_to=`)
		v.goes(v.post("/login", "email", ada, "password", firstPw, "return_to", wish), wish)
		v.goes(v.get("/signup?return_to="+url.QueryEscape(wish)), wish)
	}
}

func TestR36_SetupConsumesNothingOnGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	token := w.setupToken()
	v := w.visitor()
	for range 3 {
		v.shows(v.get("/setup?token="+token), 200, "Create administrator")
	}
	v.shows(v.post("/setup", "token", "wrong", "email", ada, "password", firstPw), 400, `role="alert"`)
	v.shows(v.post("/setup", "token", token, "email", ada, "password", "short"), 400, "Use at least 12 characters.", `value="`+token+`"`)
	v.goes(v.post("/setup", "token", token, "email", ada, "password", firstPw), "/account?done=setup")
	v.shows(v.get("/account?done=setup"), 200, "You are the first administrator.", ada)
	other := w.visitor()
	other.shows(other.get("/setup"), http.StatusGone, "Set-up is done")
	other.shows(other.post("/setup", "token", token, "email", grace, "password", firstPw), http.StatusGone, "Set-up is done")
}

func TestGetChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	v.goes(v.post("/signup", "email", ada, "password", firstPw), "/account?done=welcome")
	link := w.link("verify")
	for range 3 {
		v.shows(v.get(link), 200, "Confirm address")
		v.shows(v.get("/logout"), 200, "Sign out?")
	}
	v.shows(v.get("/account"), 200, "Not confirmed")
	v.goes(v.post("/verify", "token", strings.TrimPrefix(link, "/verify?token=")), "/login?done=verified")
	v.goes(v.get("/login?done=verified"), "/account?done=verified")
	v.shows(v.get("/account?done=verified"), 200, "Your address is confirmed.", ">Confirmed<")
	v.goes(v.post("/forgot", "email", ada), "/forgot?done=sent")
	link = w.link("reset")
	for range 3 {
		v.shows(v.get(link), 200, "Save new password")
	}
	v.goes(v.post("/reset", "token", strings.TrimPrefix(link, "/reset?token="), "password", secondPw), "/login?done=reset")
	v.goes(v.get("/account"), "/login")
	v.goes(v.post("/login", "email", ada, "password", secondPw), "/account")
}

func TestQuietSignUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.RequireVerifiedEmail = true })
	v := w.visitor()
	v.goes(v.post("/signup", "email", ada, "password", firstPw), "/signup?done=sent")
	v.goes(v.post("/signup", "email", ada, "password", firstPw), "/signup?done=sent")
	v.shows(v.post("/login", "email", ada, "password", firstPw), 403, "Please confirm your address first")
}

func TestClosedSignUp(t *testing.T) {
	t.Parallel()
	v := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.SignUp = ostiary.SignUpClosed }).visitor()
	v.shows(v.get("/signup"), 200, "By invitation only")
	v.shows(v.post("/signup", "email", ada, "password", firstPw), 403, "By invitation only")
	if strings.Contains(v.get("/login").text, "/signup") {
		t.Error("the sign-in page offers what is closed")
	}
}

func TestWithoutMail(t *testing.T) {
	t.Parallel()
	v := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.Mailer = nil }).visitor()
	v.shows(v.get("/forgot"), 200, "cannot send mail yet")
	v.shows(v.post("/forgot", "email", ada), 503, "cannot send mail yet")
}

func TestAccountForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	v.joins(ada, firstPw)
	v.goes(v.post("/account", "do", "profile", "name", "Ada L."), "/account?done=profile#profile")
	v.shows(v.get("/account?done=profile"), 200, "Your profile is saved.", "Hello, Ada L.", `value="Ada L."`, "Safari on Mac", "This device", "Account created")
	v.shows(v.post("/account", "do", "profile", "name", strings.Repeat("x", 201)), 400, `id="profile-name-error"`)

	v.shows(v.post("/account", "do", "password", "current_password", "wrong", "new_password", secondPw), 403, `id="password-current_password-error"`, "This is not your password.")
	v.shows(v.post("/account", "do", "password", "current_password", firstPw, "new_password", "short"), 400, `id="password-new_password-error"`)
	v.goes(v.post("/account", "do", "password", "current_password", firstPw, "new_password", secondPw), "/account?done=password#security")
	v.shows(v.get("/account?done=password"), 200, "Your password is changed", "Password changed")

	v.goes(v.post("/account", "do", "email", "email", grace, "current_password", secondPw), "/account?done=email#profile")
	change := w.link("email_change")
	v.goes(v.post("/verify", "token", strings.TrimPrefix(change, "/verify?token=")), "/login?done=verified")
	v.shows(v.get("/account"), 200, grace)
	revert := w.link("email_changed")
	v.shows(v.get(revert), 200, "Take the change back")
	v.goes(v.post("/email/revert", "token", strings.TrimPrefix(revert, "/email/revert?token=")), "/login?done=reverted")
	v.goes(v.get("/account"), "/login")

	v.goes(v.post("/login", "email", ada, "password", secondPw), "/account")
	v.shows(v.post("/account", "do", "nonsense"), 400, "That form is not known here.")
	v.goes(v.post("/account", "do", "everywhere"), "/login?done=everywhere")
	v.goes(v.get("/account?done=x"), "/login?return_to=%2Faccount%3Fdone%3Dx")
}

func TestEndingSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	here, there := w.visitor(), w.visitor()
	here.joins(ada, firstPw)
	there.header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0")
	there.goes(there.post("/login", "email", ada, "password", firstPw), "/account")
	page := here.get("/account").text
	_, rest, ok := strings.Cut(page, "Firefox on Windows")
	if !ok || strings.Count(page, `name="id"`) != 2 {
		t.Fatalf("two devices are not listed: %s", page)
	}
	_, rest, _ = strings.Cut(rest, `name="id" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	stranger := w.visitor()
	stranger.joins(grace, firstPw)
	stranger.shows(stranger.post("/account", "do", "session", "id", id), 404, `role="alert"`)
	there.shows(there.get("/account"), 200)
	here.goes(here.post("/account", "do", "session", "id", id), "/account?done=session#sessions")
	here.shows(here.get("/account?done=session"), 200, "That device is signed out.")
	there.goes(there.get("/account"), "/login")
}

func TestDeletionNeedsAFreshProofAndTheAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	v.joins(ada, firstPw)
	w.clock.advance(11 * time.Minute)
	v.shows(v.post("/account", "do", "delete", "confirm", grace), 400, "This is not the address of your account.")
	again := "/login?again=1&return_to=%2Faccount%23delete"
	v.goes(v.post("/account", "do", "delete", "confirm", "ADA@example.com"), again)
	v.shows(v.get(again), 200, "Confirm it is you", ada, "Signed in as")
	v.shows(v.post(again, "password", "wrong"), 403, `id="again-password-error"`)
	v.goes(v.post("/login?again=1", "password", firstPw, "return_to", "/account#delete"), "/account#delete")
	v.goes(v.post("/account", "do", "delete", "confirm", "ADA@example.com"), "/login?done=deleted")
	v.shows(v.get("/login?done=deleted"), 200, "Your account is deleted.")
	v.shows(v.post("/login", "email", ada, "password", firstPw), 403, "not right")
}

func TestErrorPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	a := v.get("/nowhere")
	v.shows(a, 404, "This page does not exist", a.Header.Get("X-Request-Id"))
	if a.Header.Get("X-Request-Id") == "" {
		t.Error("no reference")
	}
	v.shows(v.get("/api/v1/login"), 405, "cannot be opened that way")
	v.shows(v.do("POST", "/login", "application/json", `{}`), 415, "takes only its own form")
	v.shows(v.do("POST", "/login", "multipart/form-data; boundary=x", ""), 415)
	v.shows(v.do("POST", "/login", "application/x-www-form-urlencoded", "email="+strings.Repeat("a", 70_000)), 413)
	v.shows(v.do("POST", "/login", "application/x-www-form-urlencoded", "email=%zz"), 400)
	v.shows(v.do("POST", "/login", "application/x-www-form-urlencoded", "email=%ff&password=x"), 400)
	v.header.Set("Sec-Fetch-Site", "cross-site")
	v.shows(v.post("/login", "email", ada, "password", firstPw), 403, "That came from another site")
	v.header.Set("Accept", "application/json")
	if got := v.get("/nowhere").Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("a program got %q", got)
	}
}

func TestSmuggledDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	w.visitor().joins(ada, firstPw)
	v := w.visitor()
	a := v.post("/login", "email", ada, "password", firstPw, "delivery", "body", "audience", "x", "claims", "roles")
	v.goes(a, "/account")
	for _, c := range a.Cookies() {
		if c.Name != "session" && c.Name != "device" {
			t.Errorf("cookie: %v", c)
		}
	}
}

func TestUnderPrefixAndHTTPS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.URL += "/auth" })
	v := w.visitor()
	v.shows(v.get("/login"), 200, `action="/auth/login"`, `href="/auth/forgot"`, `href="/auth/assets/`)
	v.goes(v.get("/"), "/auth/account")
	v.goes(v.get("/account"), "/auth/login")
	v.goes(v.post("/signup", "email", ada, "password", firstPw), "/auth/account?done=welcome")
	if got := v.get("/login").Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("HSTS over http: %q", got)
	}
}

func TestTemplatesAndAssetsAreOverridden(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{Accent: "#ffee00", Logo: []byte("<svg/>"), PasswordMin: 20, Templates: fstest.MapFS{
		"forgot.html":      {Data: []byte(`{{define "title"}}Mine{{end}}{{define "main"}}<h1>Mine</h1>{{end}}`)},
		"assets/style.css": {Data: []byte("mine")},
	}}, nil)
	v := w.visitor()
	v.shows(v.get("/forgot"), 200, "<h1>Mine</h1>")
	page := v.get("/signup")
	v.shows(page, 200, "At least 20 characters", `data-min="20"`)
	for file, want := range map[string]struct{ kind, text string }{
		"style.css": {"text/css; charset=utf-8", "mine"}, "logo.svg": {"image/svg+xml", "<svg/>"},
		"theme.css": {"text/css; charset=utf-8", "--accent"}, "pages.js": {"text/javascript; charset=utf-8", "reveal"},
	} {
		_, rest, _ := strings.Cut(page.text, `="/assets/`)
		hash, _, _ := strings.Cut(rest, "/")
		a := v.get("/assets/" + hash + "/" + file)
		if a.StatusCode != 200 || !strings.Contains(a.text, want.text) || a.Header.Get("Content-Type") != want.kind {
			t.Errorf("%s: %d %v %.100s", file, a.StatusCode, a.Header, a.text)
		}
		if got := a.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %q", file, got)
		}
		if got := v.get("/assets/old/" + file).Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s of another release: %q", file, got)
		}
	}
	v.shows(v.get("/assets/x/none.css"), 404)
	v.shows(v.get("/assets/x/..%2Flogin.html"), 404)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]ui.Config{
		"colour":        {Accent: "red"},
		"colour digits": {Accent: "#12345g"},
		"large logo":    {Logo: make([]byte, 65<<10)},
		"template":      {Templates: fstest.MapFS{"login.html": {Data: []byte("{{")}}},
	} {
		if _, err := ui.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
