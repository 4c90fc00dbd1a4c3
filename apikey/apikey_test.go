package apikey_test

import (
	"bytes"
	"context"
	"hash/crc32"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/internal/apitest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
)

func TestLifeOfAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	ada := w.Person("ada@example.com")
	r := ada.Want("POST", keysPath, fields{"name": " robot "}, 201, "")
	key := r.Body["key"].(string)
	if !regexp.MustCompile(`^ost_live_[0-9A-Za-z]{49}$`).MatchString(key) || r.Body["name"] != "robot" || !strings.HasPrefix(key, r.Body["prefix"].(string)) {
		t.Fatalf("got %s", r.Raw)
	}
	if !strings.Contains(r.Raw, `"scopes":["*:read"],`) || !strings.Contains(r.Raw, `"expires_at":null,"last_used_at":null`) {
		t.Errorf("got %s", r.Raw)
	}
	if me := w.with(key).Want("GET", "/api/v1/me", nil, 200, ""); me.Body["id"] != ada.ID {
		t.Errorf("got %s", me.Raw)
	}
	list := ada.Want("GET", keysPath, nil, 200, "")
	if len(list.Items()) != 1 || strings.Contains(list.Raw, key[len("ost_live_")+4:]) || list.Items()[0]["key"] != nil {
		t.Errorf("got %s", list.Raw)
	}
	ada.Want("DELETE", keysPath+"/"+r.Body["id"].(string), nil, 204, "")
	w.with(key).Want("GET", "/api/v1/me", nil, 401, "invalid_token")
	ada.Want("DELETE", keysPath+"/"+r.Body["id"].(string), nil, 404, "not_found")
	test, _ := w.make(ada, fields{"test": true})
	if !strings.HasPrefix(test, "ost_test_") {
		t.Errorf("got %s", test)
	}
}

func TestWishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	ada := w.Person("ada@example.com")
	for name, body := range map[string]fields{
		"body.name":       {"name": " "},
		"body.scopes":     {"name": "x", "scopes": []string{"everything"}},
		"body.expires_at": {"name": "x", "expires_at": w.Now().Add(-time.Second)},
	} {
		if r := ada.Want("POST", keysPath, body, 400, "invalid_request"); r.Location() != name {
			t.Errorf("got %s, want %s", r.Raw, name)
		}
	}
	ada.Want("POST", keysPath, fields{"name": "x", "expires_at": ""}, 400, "invalid_request")
	ada.Want("POST", keysPath, fields{"name": "x", "owner": "me"}, 400, "unknown_field")
	none, _ := w.make(ada, fields{"scopes": []string{}})
	w.with(none).Want("GET", "/api/v1/me", nil, 200, "")
	w.give(ada.ID, "reader")
	if status, _ := guard(w.Auth, bearer(none), ostiary.Permission("todos:read")); status != 403 {
		t.Errorf("a key without scopes got %d", status)
	}
}

// spying counts the lookups.
type spying struct {
	store.Store
	mu sync.Mutex
	n  int
}

func (s *spying) Credentials() store.Credentials { return &spyingCredentials{s.Store.Credentials(), s} }

type spyingCredentials struct {
	store.Credentials
	s *spying
}

func (c *spyingCredentials) ByLookup(ctx context.Context, method, lookup string) (store.Credential, error) {
	c.s.mu.Lock()
	c.s.n++
	c.s.mu.Unlock()
	return c.Credentials.ByLookup(ctx, method, lookup)
}

func TestR33_GarbageIsRefusedWithoutALookup(t *testing.T) {
	t.Parallel()
	spy := &spying{}
	w := newWorld(t, apikey.Config{}, func(c *ostiary.Config) {
		c.Volatile = c.Store.(store.Volatile)
		spy.Store = c.Store
		c.Store = spy
	})
	key, _ := w.make(w.Person("ada@example.com"), fields{})
	flip := func(i int) string {
		b := []byte(key)
		b[i] = "01"[b[i]&1^1]
		if b[i] == key[i] {
			b[i] = 'z'
		}
		return string(b)
	}
	for _, bad := range []string{
		"ost_", "ost_live_", key[:len(key)-1], key + "0", flip(9), flip(30), flip(len(key) - 1), strings.Replace(key, "live", "test", 1),
		"ost_live_" + strings.Repeat("0", 49), strings.Repeat("ost_", 10_000), key[:20] + "é" + key[22:],
	} {
		w.with(bad).Want("GET", "/api/v1/me", nil, 401, "invalid_token")
	}
	if spy.n != 0 {
		t.Errorf("garbage was looked up %d times", spy.n)
	}
	for range 5 {
		w.with(key).Want("GET", "/api/v1/me", nil, 200, "")
	}
	if spy.n > 3 { // twice to read it, once to note its use
		t.Errorf("a key was looked up %d times", spy.n)
	}
}

// The checksum is what scanners of secrets compute: CRC-32 of all before it, in base 62.
func TestChecksum(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	key, _ := w.make(w.Person("ada@example.com"), fields{})
	var n uint64
	for _, c := range key[len(key)-6:] {
		n = n*62 + uint64(strings.IndexRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", c))
	}
	if n != uint64(crc32.ChecksumIEEE([]byte(key[:len(key)-6]))) {
		t.Errorf("the checksum of %s is wrong", key)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	key, _ := w.make(w.Person("ada@example.com"), fields{"expires_at": w.Now().Add(time.Hour)})
	w.with(key).Want("GET", "/api/v1/me", nil, 200, "")
	w.Advance(time.Hour)
	w.with(key).Want("GET", "/api/v1/me", nil, 401, "token_expired")
}

func TestR3_KeysAmongOtherCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	ada := w.Person("ada@example.com")
	key, _ := w.make(ada, fields{})
	token := w.Client().Want("POST", "/api/v1/knock", fields{"email": "ada@example.com", "delivery": "body"}, 200, "").Body["access_token"].(string)
	for name, x := range map[string]struct {
		header http.Header
		status int
		code   string
	}{
		"bearer":               {http.Header{"Authorization": {"Bearer " + key}}, 200, ""},
		"bearer in lower case": {http.Header{"Authorization": {"bearer " + key}}, 200, ""},
		"header":               {http.Header{"X-Api-Key": {key}}, 200, ""},
		"both":                 {http.Header{"X-Api-Key": {key}, "Authorization": {"Bearer " + key}}, 400, "invalid_request"},
		"header and token":     {http.Header{"X-Api-Key": {key}, "Authorization": {"Bearer " + token}}, 400, "invalid_request"},
		"header twice":         {http.Header{"X-Api-Key": {key, key}}, 400, "invalid_request"},
		"bearer twice":         {http.Header{"Authorization": {"Bearer " + key, "Bearer " + key}}, 400, "invalid_request"},
		"basic":                {http.Header{"Authorization": {"Basic " + key}}, 401, "invalid_token"},
		"header with a token":  {http.Header{"X-Api-Key": {token}}, 401, "invalid_token"},
		"header with nothing":  {http.Header{"X-Api-Key": {""}}, 401, "invalid_token"},
	} {
		c := w.Client()
		c.Header = x.header
		if r := c.Do("GET", "/api/v1/me", nil); r.StatusCode != x.status || r.Code() != x.code {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Raw)
		}
	}
	// A bad key does not fall back to the cookie, and one in the address is not looked at.
	ada.Header = http.Header{"X-Api-Key": {"ost_live_x"}}
	ada.Want("GET", "/api/v1/me", nil, 401, "invalid_token")
	w.Client().Want("GET", "/api/v1/me?api_key="+key+"&access_token="+key, nil, 401, "not_authenticated")
	// A key is no cookie: where the request comes from does not matter.
	c := w.with(key)
	c.Header.Set("Sec-Fetch-Site", "cross-site")
	c.Header.Set("Origin", "https://elsewhere.example")
	c.Want("GET", "/api/v1/me", nil, 200, "")
}

// No key reaches what makes or ends credentials, sessions or keys, nor what administrators do, whatever its owner may.
func TestR28_KeysReachNothingSensitive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	key, _ := w.make(root, fields{"scopes": []string{"*:*"}})
	c := w.with(key)
	for _, r := range w.Auth.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		if r.Access != ostiary.SignedIn || r.Name == "me.get" {
			continue
		}
		if got := c.Do(method, strings.NewReplacer("{id}", root.ID, "{name}", "x", "{key}", root.ID).Replace(path), fields{}); got.StatusCode != 403 || got.Code() != "insufficient_scope" {
			t.Errorf("%s answered a key with %d %s", r.Name, got.StatusCode, got.Raw)
		}
	}
	for name, need := range map[string]ostiary.Check{"fresh": ostiary.Fresh(time.Hour), "mfa": ostiary.MFA()} {
		if status, _ := guard(w.Auth, bearer(key), need); status != 401 {
			t.Errorf("%s answered a key with %d", name, status)
		}
	}
	if status, _ := guard(w.Auth, bearer(key), ostiary.Role(ostiary.RoleAdmin)); status != 403 {
		t.Errorf("a role by name answered a key with %d", status)
	}
	if status, u := guard(w.Auth, bearer(key)); status != 200 || u == nil || u.ID != root.ID {
		t.Errorf("got %d and %v", status, u)
	}
	c.Do("POST", "/api/v1/logout", nil)
	c.Do("POST", "/api/v1/logout/all", nil)
	root.Want("POST", "/api/v1/logout/all", nil, 204, "")
	c.Want("GET", "/api/v1/me", nil, 200, "") // signing out everywhere leaves keys alone
}

func TestScopesAndRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	ada := w.Person("ada@example.com", "writer", "author")
	own := func(id string) func(*http.Request) (string, error) {
		return func(*http.Request) (string, error) { return id, nil }
	}
	for name, x := range map[string]struct {
		scopes []string
		need   ostiary.Check
		status int
	}{
		"read by default scope":          {[]string{"*:read"}, ostiary.Permission("todos:read"), 200},
		"no write by default scope":      {[]string{"*:read"}, ostiary.Permission("posts:update"), 403},
		"what role and scope allow":      {[]string{"posts:update"}, ostiary.Permission("posts:update"), 200},
		"more scope than role":           {[]string{"*:*"}, ostiary.Permission("bills:read"), 403},
		"own by role and scope":          {[]string{"posts:update"}, ostiary.Owner("posts:update", own(ada.ID)), 200},
		"own scope on what one owns":     {[]string{"posts:update:own"}, ostiary.Owner("posts:update", own(ada.ID)), 200},
		"own scope on what others own":   {[]string{"posts:update:own"}, ostiary.Owner("posts:update", own("somebody")), 403},
		"own scope without an owner":     {[]string{"posts:update:own"}, ostiary.Permission("posts:update"), 403},
		"scope of another action on own": {[]string{"posts:read"}, ostiary.Owner("posts:update", own(ada.ID)), 403},
	} {
		key, _ := w.make(ada, fields{"scopes": x.scopes})
		if status, _ := guard(w.Auth, bearer(key), x.need); status != x.status {
			t.Errorf("%s: got %d, want %d", name, status, x.status)
		}
	}
}

// What happens to the owner happens to his keys, at once.
func TestOwnerLosesRoleAndAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	ada := w.Person("ada@example.com", "reader")
	key, _ := w.make(ada, fields{})
	read := func() int { status, _ := guard(w.Auth, bearer(key), ostiary.Permission("todos:read")); return status }
	if got := read(); got != 200 {
		t.Fatal(got)
	}
	w.give(ada.ID)
	if got := read(); got != 403 {
		t.Errorf("after the role was taken: %d", got)
	}
	w.give(ada.ID, "reader")
	if got := read(); got != 200 {
		t.Errorf("after the role came back: %d", got)
	}
	status := func(s store.Status) {
		w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error { return t.SetStatus(ctx, ada.ID, s) })
	}
	status(store.Disabled)
	if got := read(); got != 401 {
		t.Errorf("with the owner disabled: %d", got)
	}
	status(store.Active)
	if got := read(); got != 200 {
		t.Errorf("with the owner enabled: %d", got)
	}
	w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error { return t.DeleteUser(ctx, ada.ID) })
	if got := read(); got != 401 {
		t.Errorf("with the owner gone: %d", got)
	}
}

func TestRotationOverlaps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	ada := w.Person("ada@example.com")
	old, id := w.make(ada, fields{"name": "ci", "scopes": []string{"posts:read"}, "expires_at": w.Now().Add(1000 * time.Hour), "test": true})
	w.Advance(5 * time.Minute)
	r := ada.Want("POST", keysPath+"/"+id+"/rotate", nil, 201, "")
	key := r.Body["key"].(string)
	expires, _ := time.Parse(time.RFC3339Nano, r.Body["expires_at"].(string))
	if r.Body["name"] != "ci" || !strings.HasPrefix(key, "ost_test_") || expires.Sub(w.Now()).Round(time.Hour) != 1000*time.Hour {
		t.Errorf("got %s", r.Raw)
	}
	w.with(old).Want("GET", "/api/v1/me", nil, 200, "")
	w.with(key).Want("GET", "/api/v1/me", nil, 200, "")
	w.Advance(24 * time.Hour)
	w.with(old).Want("GET", "/api/v1/me", nil, 401, "token_expired")
	w.with(key).Want("GET", "/api/v1/me", nil, 200, "")
	ada = w.Person("ada@example.com")
	ada.Want("POST", keysPath+"/"+id+"/rotate", nil, 409, "conflict")
	at := keysPath + "/" + r.Body["id"].(string) + "/rotate"
	ada.Want("POST", at, fields{"overlap": "9999h"}, 400, "invalid_request")
	ada.Want("POST", at, fields{"overlap": "0s"}, 201, "")
	w.with(key).Want("GET", "/api/v1/me", nil, 401, "token_expired")
}

// Young keys may be a thief's: a reset of the password stops them until the owner says that they are his.
func TestR26_YoungKeysAreSuspended(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	ada := w.Person("ada@example.com")
	old, _ := w.make(ada, fields{})
	w.Advance(30 * 24 * time.Hour)
	ada = w.Person("ada@example.com")
	young, id := w.make(ada, fields{})
	w.with(young).Want("GET", "/api/v1/me", nil, 200, "")
	w.Administer(func(ctx context.Context, t *ostiary.AdminTx) error { return t.Suspect(ctx, ada.ID) })
	w.with(young).Want("GET", "/api/v1/me", nil, 401, "token_revoked")
	w.with(old).Want("GET", "/api/v1/me", nil, 200, "")
	if items := ada.Want("GET", keysPath, nil, 200, "").Items(); items[0]["suspended"] != false || items[1]["suspended"] != true {
		t.Errorf("got %v", items)
	}
	ada.Want("POST", keysPath+"/"+id+"/rotate", nil, 409, "conflict")
	w.Advance(11 * time.Minute)
	ada.Want("POST", keysPath+"/"+id+"/confirm", nil, 401, "reauthentication_required")
	w.with(old).Want("POST", keysPath+"/"+id+"/confirm", nil, 403, "insufficient_scope")
	ada = w.Person("ada@example.com")
	ada.Want("POST", keysPath+"/"+id+"/confirm", nil, 204, "")
	w.with(young).Want("GET", "/api/v1/me", nil, 200, "")
}

func TestKeysNeedAFreshProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	ada := w.Person("ada@example.com")
	_, id := w.make(ada, fields{})
	w.Advance(10*time.Minute + time.Second)
	ada.Want("POST", keysPath, fields{"name": "x"}, 401, "reauthentication_required")
	ada.Want("DELETE", keysPath+"/"+id, nil, 401, "reauthentication_required")
	ada.Want("GET", keysPath, nil, 200, "")
}

func TestOthersKeysDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{})
	key, id := w.make(w.Person("ada@example.com"), fields{})
	bob := w.Person("bob@example.com")
	bob.Want("DELETE", keysPath+"/"+id, nil, 404, "not_found")
	bob.Want("POST", keysPath+"/"+id+"/rotate", nil, 404, "not_found")
	bob.Want("POST", keysPath+"/"+id+"/confirm", nil, 404, "not_found")
	w.with(key).Want("GET", "/api/v1/me", nil, 200, "")
}

func TestAtMostAHundred(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "test.db"))
	w := newWorld(t, apikey.Config{}, func(c *ostiary.Config) { c.Store, c.InsecureNoRateLimits = db, true })
	ada := w.Person("ada@example.com")
	for range 90 {
		w.make(ada, fields{})
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	counts := map[int]int{}
	for range 32 {
		all.Go(func() {
			status := ada.Do("POST", keysPath, fields{"name": "x"}).StatusCode
			mu.Lock()
			counts[status]++
			mu.Unlock()
		})
	}
	all.Wait()
	if n := len(ada.Want("GET", keysPath, nil, 200, "").Items()); n != 100 || counts[201] != 10 || counts[409] != 22 {
		t.Errorf("%d keys, answers %v", n, counts)
	}
}

func TestRateOfAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apikey.Config{Rate: store.Rate{Burst: 3, Every: 10 * time.Second}})
	ada := w.Person("ada@example.com", "reader")
	key, _ := w.make(ada, fields{})
	other, _ := w.make(ada, fields{})
	for range 3 {
		w.with(key).Want("GET", "/api/v1/me", nil, 200, "")
	}
	w.give(ada.ID) // what makes the node forget the key does not make it forget the count
	if r := w.with(key).Want("GET", "/api/v1/me", nil, 429, "rate_limited"); r.Header.Get("Retry-After") != "10" {
		t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
	}
	w.with(other).Want("GET", "/api/v1/me", nil, 200, "")
	w.Advance(10 * time.Second)
	w.with(key).Want("GET", "/api/v1/me", nil, 200, "")
	if _, err := apikey.New(apikey.Config{Rate: store.Rate{Burst: -1, Every: 1}}); err == nil {
		t.Error("a rate that allows nothing was taken")
	}
}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// second starts another engine over the same store.
func (w *world) second(t *testing.T, db *sqlite.Store, passive bool) *ostiary.Auth {
	t.Helper()
	part, err := apikey.New(apikey.Config{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ostiary.ParseKey([]byte(apitest.MasterKey))
	if err != nil {
		t.Fatal(err)
	}
	cfg := ostiary.Config{
		URL: w.Auth.Issuer(), Store: db, Key: key, Now: w.Now, Passive: passive, Log: (&logs{}).logger(), Parts: []ostiary.Part{part, account.New()},
	}
	roles(&cfg)
	auth, err := ostiary.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { auth.Close() })
	return auth
}

func TestR23_RevokedOnAnotherNode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db, same := open(t, path), open(t, path)
	w := newWorld(t, apikey.Config{}, func(c *ostiary.Config) { c.Store = db })
	ada := w.Person("ada@example.com", "reader")
	key, id := w.make(ada, fields{})
	other := w.second(t, same, false)
	ask := func() int { status, _ := guard(other, bearer(key), ostiary.Permission("todos:read")); return status }
	if got := ask(); got != 200 {
		t.Fatal(got)
	}
	ada.Want("DELETE", keysPath+"/"+id, nil, 204, "")
	start := time.Now()
	for ask() == 200 {
		if time.Since(start) > time.Second {
			t.Fatal("the key works after a second")
		}
	}
}

// The last use is noted beside the request, at most once a minute, and not lost when the engine closes.
func TestLastUse(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "test.db"))
	w := newWorld(t, apikey.Config{}, func(c *ostiary.Config) { c.Store = db })
	ada := w.Person("ada@example.com", "reader")
	key, _ := w.make(ada, fields{})
	first := w.Now()
	for range 10 {
		w.with(key).Want("GET", "/api/v1/me", nil, 200, "")
		w.Advance(5 * time.Second)
	}
	w.Auth.Close()
	rows, err := db.Credentials().Of(t.Context(), ada.ID)
	if err != nil || len(rows) != 1 || rows[0].Version != 2 {
		t.Fatalf("the row was written %v times: %v", rows, err)
	}
	other := w.second(t, db, true)
	e, _ := other.Engine("apikey")
	part, _ := apikey.New(apikey.Config{})
	if _, err := part.Routes(e); err != nil {
		t.Fatal(err)
	}
	keys, err := part.List(t.Context(), ada.ID)
	if err != nil || len(keys) != 1 || keys[0].LastUsedAt == nil || !keys[0].LastUsedAt.Equal(first.Truncate(time.Microsecond)) && !keys[0].LastUsedAt.Equal(first) {
		t.Errorf("got %+v, %v, want %s", keys, err, first)
	}
}

// A key that was made, used, refused, rotated and revoked is nowhere: not in the database, not in what was logged.
func TestR33_KeysAreNowhere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db := open(t, path)
	written := &logs{}
	w := newWorld(t, apikey.Config{Rate: store.Rate{Burst: 5, Every: time.Hour}}, func(c *ostiary.Config) { c.Store, c.Log = db, written.logger() })
	ada := w.Person("ada@example.com")
	key, id := w.make(ada, fields{})
	for range 7 {
		w.with(key).Do("GET", "/api/v1/me", nil)
	}
	w.with(key).Do("POST", keysPath, fields{"name": "x"})
	w.with(key[:len(key)-1]+"_").Do("GET", "/api/v1/me", nil)
	second := ada.Want("POST", keysPath+"/"+id+"/rotate", nil, 201, "").Body["key"].(string)
	w.with(second).Want("GET", "/api/v1/me", nil, 200, "")
	ada.Want("DELETE", keysPath+"/"+id, nil, 204, "")
	w.with(key).Do("GET", "/api/v1/me", nil)
	w.Auth.Close()
	places := map[string]string{"the log": written.text()}
	for _, file := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		places[file] = string(b)
	}
	for place, text := range places {
		for _, secret := range []string{key, second} {
			if i := len("ost_live_") + 4; strings.Contains(text, secret[i:i+12]) || bytes.Contains([]byte(text), []byte(secret)) {
				t.Errorf("a key is in %s", place)
			}
		}
	}
}
