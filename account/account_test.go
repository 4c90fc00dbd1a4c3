package account_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/apitest"
	"github.com/ostiary/ostiary/internal/keys"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// routes are all of the part.
func routes() []struct{ method, path string } {
	return []struct{ method, path string }{
		{"GET", "/api/v1/me"},
		{"PATCH", "/api/v1/me"},
		{"DELETE", "/api/v1/me"},
		{"GET", "/api/v1/me/export"},
		{"GET", "/api/v1/sessions"},
		{"DELETE", "/api/v1/sessions/00000000-0000-7000-8000-000000000000"},
		{"GET", "/api/v1/events"},
		{"GET", "/api/v1/authorize-check?permission=a:b"},
	}
}

func TestNobodyIsSignedIn(t *testing.T) {
	t.Parallel()
	c := apitest.New(t, nil, account.New()).Client()
	for _, r := range routes() {
		c.Want(r.method, r.path, nil, 401, "not_authenticated")
	}
}

func TestR2_OtherClientsTokenIsRefused(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	ada := w.Person("ada@example.com")
	c := w.Client()
	c.Header.Set("Authorization", "Bearer "+foreignToken(t, w, ada.ID))
	for _, r := range routes() {
		c.Want(r.method, r.path, nil, 403, "insufficient_scope")
	}
	ada.Want("GET", "/api/v1/me", nil, 200, "")
}

// foreignToken is a token of another client for the person, signed with the engine's own key.
func foreignToken(t *testing.T, w *apitest.World, userID string) string {
	t.Helper()
	master, err := keys.ParseMaster([]byte(apitest.MasterKey))
	if err != nil {
		t.Fatal(err)
	}
	ring := token.NewRing()
	if err := keys.NewRotator(keys.RotatorConfig{Store: w.Store, Master: master, Ring: ring, Now: w.Now}).Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := w.Now()
	g := store.Grant{
		ID: "00000000-0000-7000-8000-000000000000", UserID: userID, ClientID: "another", Epoch: 1, Generation: 1, RotatedAt: now,
		ExpiresAt: now.Add(time.Hour), EndsAt: now.Add(time.Hour), CreatedAt: now,
	}
	if err := w.Store.Grants().Create(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	gid := make([]byte, 32)
	gid[6], gid[8] = 0x70, 0x80 // the ID, and then a handle of zeros
	raw, err := ring.Sign("at+jwt", token.Claims{
		Issuer: w.Auth.Issuer(), Subject: userID, Audience: []string{w.Auth.Issuer()}, Expires: now.Add(time.Minute), IssuedAt: now,
		AuthTime: now, ID: "jti", ClientID: "another", Scope: "openid profile account", GID: base64.RawURLEncoding.EncodeToString(gid), ACR: "aal2", Epoch: 1,
	}, token.ES256, now)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestR4_OtherSiteIsRefused(t *testing.T) {
	t.Parallel()
	c := apitest.New(t, nil, account.New()).Person("ada@example.com")
	c.Header.Set("Origin", "https://evil.example")
	c.Header.Set("Sec-Fetch-Site", "cross-site")
	for _, r := range routes() {
		if r.method != "GET" {
			c.Want(r.method, r.path, map[string]any{}, 403, "cross_origin")
		}
	}
	c.Header = http.Header{}
	c.Want("GET", "/api/v1/me", nil, 200, "")
}

func TestProfile(t *testing.T) {
	t.Parallel()
	c := apitest.New(t, nil, account.New()).Person("ada@example.com")
	got := c.Want("PATCH", "/api/v1/me", map[string]any{"name": " Ada Lovelace ", "locale": "en-GB", "picture": "https://example.com/a.png"}, 200, "")
	if got.Body["name"] != "Ada Lovelace" || got.Body["locale"] != "en-GB" || got.Body["email"] != "ada@example.com" {
		t.Fatalf("got %s", got.Raw)
	}
	for name, body := range map[string]string{"no body": ``, "nothing": `{}`, "null": `{"name":null,"picture":null,"locale":null}`} {
		if got := c.Want("PATCH", "/api/v1/me", body, 200, ""); got.Body["name"] != "Ada Lovelace" || got.Body["picture"] == "" {
			t.Errorf("%s: got %s", name, got.Raw)
		}
	}
	if got := c.Want("PATCH", "/api/v1/me", `{"name":""}`, 200, ""); got.Body["name"] != "" {
		t.Errorf("an empty text must clear: %s", got.Raw)
	}
	if got := c.Want("GET", "/api/v1/me", nil, 200, ""); got.Body["name"] != "" || got.Body["locale"] != "en-GB" {
		t.Errorf("got %s", got.Raw)
	}
}

func TestProfileRefuses(t *testing.T) {
	t.Parallel()
	c := apitest.New(t, nil, account.New()).Person("ada@example.com")
	for _, x := range []struct{ name, body, code, location string }{
		{"null body", `null`, "invalid_request", ""},
		{"list", `[]`, "invalid_request", ""},
		{"roles", `{"roles":["admin"]}`, "unknown_field", "body.roles"},
		{"status", `{"status":"active"}`, "unknown_field", "body.status"},
		{"email", `{"email":"x@example.com"}`, "unknown_field", "body.email"},
		{"verified", `{"email_verified":true}`, "unknown_field", "body.email_verified"},
		{"id", `{"id":"x"}`, "unknown_field", "body.id"},
		{"other letter case", `{"Name":"x"}`, "unknown_field", "body.Name"},
		{"twice", `{"name":"a","name":"b"}`, "invalid_request", "body.name"},
		{"number", `{"name":7}`, "invalid_request", "body.name"},
		{"too long", `{"name":"` + strings.Repeat("ä", 201) + `"}`, "invalid_request", "body.name"},
		{"line break", `{"name":"a\nb"}`, "invalid_request", "body.name"},
		{"zero byte", `{"name":"a\u0000b"}`, "invalid_request", "body.name"},
		{"line separator", `{"name":"a\u2028b"}`, "invalid_request", "body.name"},
		{"script address", `{"picture":"javascript:alert(1)"}`, "invalid_request", "body.picture"},
		{"plain http", `{"picture":"http://example.com/a.png"}`, "invalid_request", "body.picture"},
		{"long locale", `{"locale":"` + strings.Repeat("e", 36) + `"}`, "invalid_request", "body.locale"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := c.Want("PATCH", "/api/v1/me", x.body, 400, x.code)
			if r.Location() != x.location {
				t.Errorf("location %q, want %q: %s", r.Location(), x.location, r.Raw)
			}
		})
	}
	c.Want("PATCH", "/api/v1/me", `{"name":"`+strings.Repeat("x", 70_000)+`"}`, 413, "payload_too_large")
	c.Header.Set("Content-Type", "text/plain")
	c.Want("PATCH", "/api/v1/me", `{"name":"x"}`, 415, "unsupported_media_type")
}

func TestSessions(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	ada, phone, bob := w.Person("ada@example.com"), w.Person("ada@example.com"), w.Person("bob@example.com")
	items := ada.Want("GET", "/api/v1/sessions", nil, 200, "").Items()
	if len(items) != 2 {
		t.Fatalf("got %v", items)
	}
	for _, s := range items {
		if s["current"] != (s["id"] == ada.Session) || s["id"] == bob.Session || s["user_agent"] == "" || s["ip"] == "" {
			t.Errorf("got %v", s)
		}
	}
	ada.Want("DELETE", "/api/v1/sessions/"+phone.Session, nil, 204, "")
	phone.Want("GET", "/api/v1/me", nil, 401, "not_authenticated")
	if n := len(ada.Want("GET", "/api/v1/sessions", nil, 200, "").Items()); n != 1 {
		t.Errorf("%d sessions are left", n)
	}
	own := ada.Want("DELETE", "/api/v1/sessions/"+ada.Session, nil, 204, "")
	if len(own.Cookies()) == 0 {
		t.Error("ending one's own session must take the cookie back")
	}
	ada.Want("GET", "/api/v1/me", nil, 401, "not_authenticated")
}

// What belongs to somebody else, what has ended and what never was cannot be told apart.
func TestSessionIDsCannotBeProbed(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	ada, bob, gone := w.Person("ada@example.com"), w.Person("bob@example.com"), w.Person("ada@example.com")
	ada.Want("DELETE", "/api/v1/sessions/"+gone.Session, nil, 204, "")
	var first string
	for _, id := range []string{"00000000-0000-7000-8000-000000000000", bob.Session, gone.Session, "x", "%2e%2e", strings.ToUpper(ada.Session)} {
		r := ada.Want("DELETE", "/api/v1/sessions/"+id, nil, 404, "not_found")
		delete(r.Body, "request_id")
		if first == "" {
			first = fmt.Sprint(r.Body)
		}
		if fmt.Sprint(r.Body) != first {
			t.Errorf("%s: %v differs from %s", id, r.Body, first)
		}
	}
	bob.Want("GET", "/api/v1/me", nil, 200, "")
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, func(c *ostiary.Config) { c.InsecureNoRateLimits = true }, account.New())
	ada := w.Person("ada@example.com")
	for range 4 {
		w.Advance(time.Second)
		w.Person("ada@example.com")
		w.Person("bob@example.com")
	}
	for _, path := range []string{"/api/v1/sessions", "/api/v1/events"} {
		seen := map[any]bool{}
		cursor, pages := "", 0
		for {
			r := ada.Want("GET", path+"?limit=2&cursor="+cursor, nil, 200, "")
			for _, item := range r.Items() {
				if seen[item["id"]] {
					t.Errorf("%s: %v came twice", path, item["id"])
				}
				seen[item["id"]] = true
			}
			pages++
			if cursor, _ = r.Body["next_cursor"].(string); cursor == "" {
				break
			}
		}
		all := ada.Want("GET", path, nil, 200, "").Items()
		if len(seen) != len(all) || len(all) < 5 || pages != (len(all)+1)/2 {
			t.Errorf("%s: %d items on %d pages, %d at once", path, len(seen), pages, len(all))
		}
	}
}

func TestListsRefuse(t *testing.T) {
	t.Parallel()
	c := apitest.New(t, nil, account.New()).Person("ada@example.com")
	for _, path := range []string{"/api/v1/sessions", "/api/v1/events"} {
		for query, location := range map[string]string{
			"limit=0": "query.limit", "limit=101": "query.limit", "limit=-1": "query.limit", "limit=x": "query.limit", "limit=": "query.limit",
			"limit=1&limit=2": "query.limit", "limit=99999999999999999999": "query.limit", "cursor=x": "query.cursor", "cursor=-5": "query.cursor",
			"cursor=%00": "query.cursor", "cursor=" + strings.Repeat("1", 400): "query.cursor",
		} {
			if r := c.Want("GET", path+"?"+query, nil, 400, "invalid_request"); r.Location() != location {
				t.Errorf("%s?%s: location %q, want %q", path, query, r.Location(), location)
			}
		}
		c.Want("GET", path+"?user_id=x", nil, 400, "unknown_field")
	}
}

func TestEventsAreOnesOwn(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	ada, bob := w.Person("ada@example.com"), w.Person("bob@example.com")
	bob.Want("PATCH", "/api/v1/me", map[string]any{"name": "Bob"}, 200, "")
	r := ada.Want("GET", "/api/v1/events", nil, 200, "")
	if kinds := kindsOf(r); kinds != "session.created user.created" {
		t.Errorf("got %q", kinds)
	}
	if kinds := kindsOf(bob.Want("GET", "/api/v1/events", nil, 200, "")); !strings.HasPrefix(kinds, "user.updated ") {
		t.Errorf("newest first: got %q", kinds)
	}
}

// Whoever administers an account does not show where he sits.
func TestEventsHideWhereOthersSit(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	ada := w.Person("ada@example.com")
	w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error {
		return t.SetRoles(ctx, ada.ID, []string{ostiary.RoleAdmin})
	})
	items := ada.Want("GET", "/api/v1/events", nil, 200, "").Items()
	if items[0]["kind"] != "user.roles_changed" || items[0]["ip"] != nil || items[0]["session_id"] != nil {
		t.Errorf("got %v", items[0])
	}
	if items[1]["ip"] == nil {
		t.Errorf("one's own address must be there: %v", items[1])
	}
}

func kindsOf(r apitest.Reply) string {
	var kinds []string
	for _, item := range r.Items() {
		kinds = append(kinds, fmt.Sprint(item["kind"]))
	}
	return strings.Join(kinds, " ")
}

func TestAuthorizeCheck(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, func(c *ostiary.Config) {
		c.Roles = []authz.Role{{Name: "writer", Permissions: []string{"posts:create", "posts:update:own"}}}
	}, account.New())
	c := w.Person("ada@example.com", "writer")
	for permission, want := range map[string]string{
		"posts:create": "true granted", "posts:update": "false owner_only", "posts:delete": "false not_granted", "x:y": "false not_granted",
	} {
		r := c.Want("GET", "/api/v1/authorize-check?permission="+permission, nil, 200, "")
		if got := fmt.Sprint(r.Body["allowed"], " ", r.Body["reason"]); got != want {
			t.Errorf("%s: got %s, want %s", permission, got, want)
		}
	}
	for _, bad := range []string{"", "posts", "posts:", ":create", "*:*", "posts:*", "posts:create:own", "Posts:create", "posts:create%0a", strings.Repeat("a", 200) + ":b"} {
		if r := c.Want("GET", "/api/v1/authorize-check?permission="+bad, nil, 400, "invalid_request"); r.Location() != "query.permission" {
			t.Errorf("%q: location %q", bad, r.Location())
		}
	}
	c.Want("GET", "/api/v1/authorize-check?permission=posts:create&user=x", nil, 400, "unknown_field")
}

func TestFreshProofIsDemanded(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	c := w.Person("ada@example.com")
	w.Advance(10*time.Minute + time.Second)
	for _, r := range [][2]string{{"DELETE", "/api/v1/me"}, {"GET", "/api/v1/me/export"}} {
		got := c.Want(r[0], r[1], nil, 401, "reauthentication_required")
		if !strings.Contains(got.Header.Get("WWW-Authenticate"), "max_age=600") {
			t.Errorf("%s: challenge %q", r[1], got.Header.Get("WWW-Authenticate"))
		}
	}
	c.Want("GET", "/api/v1/me", nil, 200, "")
}

func TestExport(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	c := w.Person("ada@example.com")
	w.Person("bob@example.com")
	r := c.Want("GET", "/api/v1/me/export", nil, 200, "")
	for _, key := range []string{"user", "credentials", "sessions", "grants", "events"} {
		if r.Body[key] == nil {
			t.Errorf("%s is missing: %s", key, r.Raw)
		}
	}
	if strings.Contains(r.Raw, "bob@example.com") || !strings.Contains(r.Raw, c.Session) {
		t.Errorf("got %s", r.Raw)
	}
}

func TestDeletion(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	ada, phone := w.Person("ada@example.com"), w.Person("ada@example.com")
	app := w.Client()
	tokens := app.Want("POST", "/api/v1/knock", map[string]any{"email": "ada@example.com", "delivery": "body"}, 200, "").Body
	app.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string))
	app.Want("GET", "/api/v1/me", nil, 200, "")

	gone := ada.Want("DELETE", "/api/v1/me", nil, 204, "")
	if len(gone.Cookies()) == 0 {
		t.Error("the cookies must be taken back")
	}
	ada.Want("GET", "/api/v1/me", nil, 401, "not_authenticated")
	phone.Want("GET", "/api/v1/me", nil, 401, "not_authenticated")
	app.Want("GET", "/api/v1/me", nil, 401, "token_revoked")
	w.Client().Want("POST", "/api/v1/refresh", map[string]any{"refresh_token": tokens["refresh_token"]}, 401, "token_revoked")

	e, _ := w.Auth.Engine(ostiary.ActorCLI)
	if _, err := e.Export(t.Context(), ada.ID); ostiary.Found(err) == nil {
		t.Error("there is still something to export")
	}
	again := w.Person("ada@example.com")
	if again.ID == ada.ID {
		t.Error("the address must be free for a new account")
	}
	if kinds := kindsOf(again.Want("GET", "/api/v1/events", nil, 200, "")); kinds != "session.created user.created" {
		t.Errorf("the new account remembers the old one: %q", kinds)
	}
}

func TestR31_LastAdministratorCannotDeleteHimself(t *testing.T) {
	t.Parallel()
	w := apitest.New(t, nil, account.New())
	c := w.Person("ada@example.com", ostiary.RoleAdmin)
	c.Want("DELETE", "/api/v1/me", nil, 409, "last_administrator")
	c.Want("GET", "/api/v1/me", nil, 200, "")
}
