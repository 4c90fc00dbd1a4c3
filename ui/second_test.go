package ui_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/ui"
)

// fob is a second factor that anybody can enrol.
type fob struct{ kit *ostiary.Kit }

func (f *fob) Name() string  { return "fob" }
func (f *fob) Field() string { return "fob" }

// Guessable says that what it shows can be guessed.
func (f *fob) Guessable() bool { return true }

func (f *fob) Verify(_ context.Context, _ *ostiary.Call, userID string, _ json.RawMessage) (ostiary.Proof, error) {
	return ostiary.Proof{UserID: userID, AMR: []string{"otp"}}, nil
}

func (f *fob) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	f.kit = k
	return []ostiary.Route{{Name: "fob", Pattern: "POST /api/v1/fob", Serve: ostiary.JSON(f.enrol)}}, nil
}

func (f *fob) enrol(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (ostiary.None, error) {
	return ostiary.None{}, f.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		_, err := t.Credentials.Create(ctx, ostiary.Credential{UserID: c.Principal.User.ID, Factor: true})
		return err
	})
}

func TestSecondFactorThatNoPageKnows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.Methods = append(c.Methods, &fob{}) })
	v := w.visitor()
	v.joins(ada, firstPw)
	if a := v.do("POST", "/api/v1/fob", "", ""); a.StatusCode != 204 {
		t.Fatalf("enrol: %d %s", a.StatusCode, a.text)
	}
	other := w.visitor()
	a := other.post("/login", "email", ada, "password", firstPw)
	other.shows(a, 200, "this page cannot ask for it", "You are not signed in yet.")
	if len(a.Cookies()) != 0 {
		t.Errorf("cookies before the second factor: %v", a.Cookies())
	}
	other.goes(other.get("/account"), "/login")
	v.shows(v.get("/login?again=1"), 200, "This page cannot ask")
}

func TestSecondStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	secret, codes := w.visitor().joinsInTwoSteps(ada)

	v := w.visitor()
	a := v.post("/login", "email", ada, "password", firstPw, "return_to", "/todos")
	v.shows(a, 200, "One more step", `autocomplete="one-time-code"`, `inputmode="numeric"`, "Do not ask again on this device for 30 days", "I lost my phone", `value="/todos"`)
	if len(a.Cookies()) != 0 || a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("before the second step: %v", a.Header)
	}
	ticket := hidden(a, "mfa_token")
	v.goes(v.get("/account"), "/login")
	a = v.post("/mfa", hiddenOf(a, "code", "000000", "do", "totp")...)
	v.shows(a, 403, `id="code-code-error"`, "That code is not right.", ticket, "Do not ask again")
	a = v.post("/mfa", hiddenOf(a, "code", "", "do", "totp")...)
	v.shows(a, 400, `id="code-code-error"`, "Please fill this in.")
	v.goes(v.post("/mfa", hiddenOf(a, "code", w.code(secret), "do", "totp")...), "/todos")
	v.shows(v.get("/account"), 200, ada)

	other := w.visitor()
	a = other.post("/login", "email", ada, "password", firstPw)
	a = other.post("/mfa", hiddenOf(a, "method", "backup_code", "code", "nothing", "do", "backup_code")...)
	other.shows(a, 403, `id="backup-code-error"`, "<details open>")
	other.goes(other.post("/mfa", hiddenOf(a, "method", "backup_code", "code", codes[0], "do", "backup_code")...), "/account")
	other.shows(other.get("/account"), 200, "9 backup codes are left.")
}

func TestSecondStepWithoutASignInThatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	v.shows(v.get("/mfa"), 200, "Please sign in again")
	v.shows(v.get("/mfa?mfa_token=x"), 200, "Please sign in again")
	v.shows(v.post("/mfa", "do", "ask"), 200, "Please sign in again")
	v.shows(v.post("/mfa", "do", "ask", "mfa_token", strings.Repeat("x", 600), "methods", "totp"), 200, "Please sign in again")
	for _, do := range []string{"totp", "backup_code", "lost", "finish"} {
		a := v.post("/mfa", "do", do, "mfa_token", "wrong", "methods", "totp", "method", "totp", "code", "123456")
		v.shows(a, 400, "Please sign in again")
	}
	a := v.post("/mfa", "do", "ask", "mfa_token", hostile, "methods", "totp "+hostile, "trust", hostile, "return_to", "//evil.example")
	v.shows(a, 200, "One more step")
	if strings.Contains(a.text, "<script>alert") || strings.Contains(a.text, "evil.example") || strings.Contains(a.text, "Do not ask again") {
		t.Errorf("not escaped: %s", a.text)
	}
}

func TestR29_FiveTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	secret, _ := w.visitor().joinsInTwoSteps(ada)
	v := w.visitor()
	a := v.post("/login", "email", ada, "password", firstPw)
	fields := hiddenOf(a, "code", "000000", "do", "totp")
	for range 5 {
		v.shows(v.post("/mfa", fields...), 403, "That code is not right.")
	}
	v.shows(v.post("/mfa", append(fields, "code", w.code(secret))...), 400, "Please sign in again")
}

func TestTrustedDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	secret, _ := w.visitor().joinsInTwoSteps(ada)
	v := w.visitor()
	a := v.post("/login", "email", ada, "password", firstPw)
	v.goes(v.post("/mfa", hiddenOf(a, "code", w.code(secret), "do", "totp", "trust_device", "true")...), "/account")
	v.goes(v.post("/logout"), "/login?done=out")
	v.goes(v.post("/login", "email", ada, "password", firstPw), "/account")
	page := v.get("/account")
	v.shows(page, 200, "Devices that skip the second step", `aria-label="Ask Safari on Mac again (this device)"`)
	_, rest, _ := strings.Cut(page.text, `value="distrust"><button type="submit" name="id" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	v.goes(v.post("/account", "do", "distrust", "id", id), "/account?done=distrust#sessions")
	v.shows(v.get("/account?done=distrust"), 200, "asked for the second step again")
	v.goes(v.post("/logout"), "/login?done=out")
	v.shows(v.post("/login", "email", ada, "password", firstPw), 200, "One more step")
}

func TestTrustIsNotOfferedWhereItIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.TrustDevices = 0 })
	w.visitor().joinsInTwoSteps(ada)
	v := w.visitor()
	a := v.post("/login", "email", ada, "password", firstPw)
	v.shows(a, 200, "One more step")
	if strings.Contains(a.text, "trust_device") {
		t.Error("trust is offered")
	}
}

func TestTwoStepSetUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	v.joins(ada, firstPw)
	v.shows(v.get("/account"), 200, "Two-step sign-in", `href="/account/two-step"`)
	v.shows(v.get("/account/two-step"), 200, "Keep ten backup codes")
	a := v.post("/account/two-step", "do", "start")
	v.shows(a, 200, "Scan this with your app", `src="data:image/png;base64,`, "I cannot scan it")
	secret := hidden(a, "secret")
	if !strings.Contains(a.text, secret[:4]+" "+secret[4:8]+" ") || a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the secret is not readable: %s", a.text)
	}
	a = v.post("/account/two-step", hiddenOf(a, "do", "confirm", "code", "000000")...)
	v.shows(a, 403, `id="confirm-code-error"`)
	if hidden(a, "secret") != secret {
		t.Fatal("a wrong code changed the secret that the app has already")
	}
	a = v.post("/account/two-step", hiddenOf(a, "do", "confirm", "code", w.code(secret))...)
	v.shows(a, 200, "Two-step sign-in is on.", "You see them only now.", `id="codes"`)
	if got := strings.Count(a.text, "<li><code>"); got != 10 {
		t.Fatalf("%d codes", got)
	}
	v.shows(v.get("/account"), 200, ">On<", "10 backup codes are left.", "Move to another phone")
	v.shows(v.get("/account/two-step"), 200, "Move to another phone")

	w.clock.advance(11 * time.Minute)
	again := "/login?again=1&return_to=%2Faccount%23security"
	v.goes(v.post("/account", "do", "twostepoff"), again)
	page := v.get(again)
	v.shows(page, 200, "Confirm it is you", "type the newest code")
	if strings.Contains(page.text, `type="password"`) {
		t.Error("the password is asked for, which the engine would refuse (R28)")
	}
	v.shows(v.post("/login?again=1", "method", "totp", "code", "000000"), 403, `id="code-code-error"`)
	v.shows(v.post("/login?again=1", "method", "backup_code", "code", "none"), 403, `id="backup-code-error"`)
	v.goes(v.post("/login?again=1", "method", "totp", "code", w.code(secret), "return_to", "/account#security"), "/account#security")
	a = v.post("/account/two-step", "do", "codes")
	v.shows(a, 200, "Keep your backup codes")
	v.goes(v.post("/account", "do", "twostepoff"), "/account?done=twostepoff#security")
	v.shows(v.get("/account?done=twostepoff"), 200, "The app is turned off.", ">Off<")
	v.shows(v.post("/account/two-step", "do", "codes"), 409, "set one up first")
}

func TestTwoStepSetUpHostile(t *testing.T) {
	t.Parallel()
	v := newWorld(t, ui.Config{}, nil).visitor()
	v.joins(ada, firstPw)
	for _, picture := range []string{"", "javascript:alert(1)", "data:text/html;base64,AAAA", "data:image/svg+xml;base64,AAAA", `data:image/png;base64,"><script>alert(1)</script>`} {
		a := v.post("/account/two-step", "do", "confirm", "code", "123456", "secret", hostile, "otpauth_url", "otpauth://totp/x", "qr_code", picture)
		v.shows(a, 400, "Two-step sign-in")
		if strings.Contains(a.text, "<script>alert") || strings.Contains(a.text, "javascript:") {
			t.Errorf("not escaped: %s", a.text)
		}
	}
	a := v.post("/account/two-step", "do", "confirm", "code", "123456", "secret", "x", "otpauth_url", "javascript:alert(1)", "qr_code", "data:image/png;base64,AAAA")
	if strings.Contains(a.text, "javascript:") {
		t.Errorf("an address that is no address of an app: %s", a.text)
	}
}

func TestR32_RecoveryPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	here := w.visitor()
	here.joinsInTwoSteps(ada)
	lost := w.visitor()
	a := lost.post("/login", "email", ada, "password", firstPw)
	fields := hiddenOf(a)
	lost.shows(lost.post("/mfa", append(fields, "do", "finish")...), 404, "Nobody has asked")
	lost.shows(lost.post("/mfa", append(fields, "do", "lost")...), 200, "The 72 hours have begun", "Come back after")
	lost.shows(lost.post("/mfa", append(fields, "do", "finish")...), 403, "The waiting time is not over yet.", "72 hours")

	here.shows(here.get("/account"), 200, "Somebody asked to remove your second step.", "Stop it")
	here.goes(here.post("/account", "do", "stop"), "/account?done=stopped#security")
	if a := here.get("/account?done=stopped"); strings.Contains(a.text, "If nobody stops it") {
		t.Error("it is not stopped")
	}
	w.link("mfa_recovery")

	lost.shows(lost.post("/mfa", append(fields, "do", "lost")...), 200, "The 72 hours have begun")
	link := w.link("mfa_recovery")
	stranger := w.visitor()
	for range 3 {
		page := stranger.get(link)
		stranger.shows(page, 200, "Stop it")
		if page.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Error("the link leaves with a Referer header")
		}
	}
	_, token, _ := strings.Cut(link, "cancel=")
	stranger.shows(stranger.get("/recover"), 200, "not complete")
	stranger.goes(stranger.post("/recover", "token", token), "/login?done=stopped")
	stranger.shows(stranger.get("/login?done=stopped"), 200, "It is stopped.")
	stranger.shows(stranger.post("/recover", "token", token), 400, `role="alert"`)

	lost.shows(lost.post("/mfa", append(fields, "do", "lost")...), 200, "The 72 hours have begun")
	w.clock.advance(73 * time.Hour)
	a = lost.post("/login", "email", ada, "password", firstPw)
	lost.goes(lost.post("/mfa", hiddenOf(a, "do", "finish")...), "/account?done=recovered")
	lost.shows(lost.get("/account?done=recovered"), 200, "You are back.", ">Off<")
	here.goes(here.get("/account"), "/login")
}

func TestOverHTTPS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.URL = "https://id.example.com" })
	for _, path := range []string{"/login", "/nowhere", "/account", "/assets/x/style.css"} {
		r := httptest.NewRequest("GET", "https://id.example.com"+path, nil)
		r.Header.Set("Accept", "text/html")
		rec := httptest.NewRecorder()
		w.auth.ServeHTTP(rec, r)
		if got := rec.Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s: Strict-Transport-Security is %q", path, got)
		}
	}
}
