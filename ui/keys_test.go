package ui_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/ui"
)

func TestKeysOfPrograms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	v.joins(ada, firstPw)
	v.shows(v.get("/account"), 200, "Keys for programs", "Make a key", "<select")
	v.shows(v.post("/account", "do", "makekey", "name", "", "days", "30"), 400, `id="makekey-name-error"`)
	v.shows(v.post("/account", "do", "makekey", "name", strings.Repeat("x", 300), "days", "30"), 400, `id="makekey-name-error"`)
	a := v.post("/account", "do", "makekey", "name", hostile, "days", "90", "scope", "todos:read notes:*", "expires_at", "1999-01-01T00:00:00Z", "test", "true")
	v.shows(a, 200, "It is not shown again.", "ost_live_")
	if strings.Contains(a.text, "<script>alert") || a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%v %s", a.Header, a.text)
	}
	_, rest, _ := strings.Cut(a.text, `<code id="key">`)
	key, _, _ := strings.Cut(rest, "</code>")
	r := w.visitor()
	r.header.Set("Authorization", "Bearer "+key)
	r.header.Set("Accept", "application/json")
	if a := r.get("/api/v1/me"); a.StatusCode != 200 || !strings.Contains(a.text, ada) {
		t.Fatalf("the key opens nothing: %d %s", a.StatusCode, a.text)
	}
	page := v.get("/account")
	v.shows(page, 200, "<code>notes:*</code>, <code>todos:read</code>", "Works until "+w.clock.now().Add(90*24*time.Hour).UTC().Format("2 January 2006"))
	if strings.Contains(page.text, key) {
		t.Error("the key is shown again")
	}
	_, rest, _ = strings.Cut(page.text, `id="keys"`)
	_, rest, _ = strings.Cut(rest, `name="id" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	v.shows(v.post("/account", "do", "replace", "id", id), 200, "ost_live_", "It is not shown again.")
	v.shows(v.post("/account", "do", "revoke", "id", "nothing"), 404, `role="alert"`)
	v.goes(v.post("/account", "do", "revoke", "id", id), "/account?done=revoke#keys")
	v.shows(v.get("/account?done=revoke"), 200, "That key is switched off.")
	if a := r.get("/api/v1/me"); a.StatusCode != 401 {
		t.Errorf("the key still works: %d", a.StatusCode)
	}
	w.clock.advance(11 * time.Minute)
	v.goes(v.post("/account", "do", "makekey", "name", "late", "days", "0"), "/login?again=1&return_to=%2Faccount%23keys")
}

func TestPasskeysWithoutAScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, nil)
	v := w.visitor()
	v.shows(v.get("/login?return_to=/todos"), 200, `data-passkey="login"`, `data-next="/todos"`, `autocomplete="username webauthn"`, "data-autofill hidden>", `/passkey.js"`)
	v.shows(v.get("/login?return_to=//evil.example"), 200, `data-next="/account"`)
	v.shows(v.get("/signup"), 200, `data-passkey="signup"`, `data-next="/account?done=welcome"`, `data-sent="/signup?done=sent"`)
	v.joins(ada, firstPw)
	v.shows(v.get("/account"), 200, `data-passkey="add"`, `data-next="/account?done=passkey#passkeys"`, `data-login="/login?again=1&amp;return_to=/account%23passkeys"`, "JavaScript must be turned on")
	v.shows(v.post("/account", "do", "rename", "id", "none", "name", "x"), 404, `role="alert"`)
	v.shows(v.post("/account", "do", "rename", "id", "none", "name", ""), 400, "Please fill this in.")
	v.shows(v.post("/account", "do", "remove", "id", "none"), 404, `role="alert"`)
}

func TestPasskeysUnderAPrefix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ui.Config{}, func(c *ostiary.Config) { c.URL += "/auth" })
	v := w.visitor()
	v.shows(v.get("/login"), 200, `data-begin="/auth/api/v1/passkeys/login/begin"`, `data-second="/auth/mfa"`, `data-next="/auth/account"`, `src="/auth/assets/`)
}
