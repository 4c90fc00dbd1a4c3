package server_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" // what authenticator apps compute
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/ostiarytest"
	"github.com/ostiary/ostiary/store/sqlite"
)

type fields = map[string]any

// diary is a log that several goroutines write.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) { d.mu.Lock(); defer d.mu.Unlock(); return d.b.Write(p) }

func (d *diary) bytes() []byte { d.mu.Lock(); defer d.mu.Unlock(); return bytes.Clone(d.b.Bytes()) }

// canaries are secrets that were given out, by name.
type canaries map[string]string

// say calls the API, and keeps what an answer gave out.
func (k canaries) say(t *testing.T, s *ostiarytest.Server, c *http.Client, path string, in any, members ...string) fields {
	t.Helper()
	r := s.Call(t, c, "POST", "/api/v1"+path, in)
	var body fields
	if len(r.Body) > 0 {
		r.JSON(t, &body)
	}
	for _, m := range members {
		text, _ := body[m].(string)
		if text == "" {
			t.Fatalf("%s: %d %s has no %s", path, r.Status, r.Body, m)
		}
		k[path+" "+m] = text
	}
	return body
}

// code is what an authenticator app shows.
func code(t *testing.T, secret string, now time.Time) string {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, raw)
	_ = binary.Write(mac, binary.BigEndian, now.Unix()/30)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

// await reads mails until one has a link to that path, and returns the secret at its end, and the text.
func await(t *testing.T, s *ostiarytest.Server, to, path string) (secret, text string) {
	t.Helper()
	for {
		m := s.Mail.Next(t, to)
		for _, l := range m.Links {
			if _, secret, ok := strings.Cut(l, path); ok {
				return secret, m.Text
			}
		}
	}
}

// TestAttack_SecretsAtRest uses every method, rightly and wrongly, and then looks for what was given out in the database and
// in a log that tells everything (R33).
func TestAttack_SecretsAtRest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys, written := must(apikey.New(apikey.Config{}))(t), &diary{}
	s := ostiarytest.New(t, func(cfg *ostiary.Config) {
		cfg.Store, cfg.TrustDevices = db, 30*24*time.Hour
		cfg.Parts = append(cfg.Parts, keys)
		cfg.Log = slog.New(slog.NewTextHandler(written, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	const ada = "ada@example.com"
	found := canaries{"password": ostiarytest.Password}
	say := func(c *http.Client, path string, in any, members ...string) fields {
		t.Helper()
		return found.say(t, s, c, path, in, members...)
	}
	c := s.SignUp(t, ada)

	key := say(c, "/api-keys", fields{"name": "x"}, "key")["key"].(string)
	asKey, err := http.NewRequest("GET", s.URL+"/api/v1/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	asKey.Header.Set("X-API-Key", key[:len(key)-1]+"~")
	if r, err := s.Browser().Do(asKey); err == nil {
		r.Body.Close()
	}

	device := &ostiarytest.Authenticator{}
	s.AddPasskey(t, c, device)
	begun := say(s.Browser(), "/passkeys/login/begin", fields{}, "ticket")
	options, _ := json.Marshal(begun["publicKey"])
	for _, origin := range []string{"https://evil.example", s.Origin} {
		say(s.Browser(), "/passkeys/login/finish", fields{"ticket": begun["ticket"], "credential": device.Get(t, origin, options)})
	}
	unused := say(s.Browser(), "/passkeys/login/begin", fields{}, "ticket")
	options, _ = json.Marshal(unused["publicKey"])
	say(s.Browser(), "/passkeys/login/finish", fields{"ticket": unused["ticket"], "credential": device.Get(t, "https://evil.example", options)})

	asker := s.Browser()
	say(asker, "/magic-link", fields{"email": ada}, "ticket")
	link, letter := await(t, s, ada, "/magic?token=")
	found["magic link"] = link
	found["magic code"] = `"` + regexp.MustCompile(`\b\d{6}\b`).FindString(letter) + `"`
	say(s.Browser(), "/magic-link/consume", fields{"token": link})
	say(asker, "/magic-link/consume", fields{"token": link})

	set := say(c, "/mfa/totp/setup", nil, "secret", "otpauth_url")
	secret := set["secret"].(string)
	raw, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	found["app secret, raw"], found["app secret, base64"] = string(raw), base64.StdEncoding.EncodeToString(raw)
	codes := say(c, "/mfa/totp/confirm", fields{"code": code(t, secret, s.Clock.Now())})["backup_codes"].([]any)
	for i, one := range codes {
		found[fmt.Sprint("backup code ", i)] = one.(string)
		found[fmt.Sprint("plain backup code ", i)] = strings.ReplaceAll(one.(string), "-", "")
	}
	login := fields{"email": ada, "password": ostiarytest.Password, "delivery": "body"}
	pending := say(s.Browser(), "/login", login, "mfa_token")
	say(s.Browser(), "/login/mfa", fields{"mfa_token": pending["mfa_token"], "method": "backup_code", "code": "wrong-code-here"})
	laptop := s.Browser()
	in := say(laptop, "/login/mfa", fields{"mfa_token": pending["mfa_token"], "method": "backup_code", "code": codes[0], "trust_device": true}, "access_token", "refresh_token")
	say(s.Browser(), "/refresh", fields{"refresh_token": in["refresh_token"]}, "refresh_token")
	waiting := say(s.Browser(), "/login", login, "mfa_token")
	say(s.Browser(), "/mfa/recovery", fields{"mfa_token": waiting["mfa_token"]})
	say(s.Browser(), "/password/forgot", fields{"email": ada})
	for _, path := range []string{"/recover?cancel=", "/reset?token="} {
		found["mail of "+path], _ = await(t, s, ada, path)
	}
	at, _ := url.Parse(s.URL)
	for who, jar := range map[string]http.CookieJar{"owner": c.Jar, "laptop": laptop.Jar, "asker": asker.Jar} {
		for _, k := range jar.Cookies(at) {
			found["cookie "+k.Name+" of the "+who] = k.Value
		}
	}
	for name, secret := range found {
		if len(secret) < 8 {
			t.Errorf("%s is %q", name, secret)
		}
	}
	if len(found) < 35 {
		t.Errorf("only %d secrets were given out: the test looks for too little", len(found))
	}
	_ = s.Auth.Close()

	places := map[string][]byte{"the log": written.bytes()}
	for _, file := range []string{path, path + "-wal"} {
		if places[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for place, text := range places {
		for name, secret := range found {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s is in %s", name, place)
			}
		}
	}
}

// must fails the test when something could not be made.
func must[T any](made T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
}
