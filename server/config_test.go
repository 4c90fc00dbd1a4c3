package server_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/server"
)

func settings(c server.Config) map[string]string {
	all := map[string]string{}
	for _, s := range c.Settings() {
		all[s.Name] = s.Value
	}
	return all
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got := settings(server.Config{})
	for name, want := range map[string]string{
		"listen": "127.0.0.1:8080", "url": "http://localhost:8080", "data": "ostiary-data", "db": "sqlite:ostiary-data/ostiary.db",
		"master-key-file": "ostiary-data/master.key", "signup": "open", "signup-tells": "true", "password-min-length": "12",
		"password-hash": "argon2id:m=65536,t=3,p=1", "reset-ttl": "1h", "magic-link-ttl": "15m", "session-ttl": "720h", "session-idle-ttl": "168h",
		"access-token-ttl": "15m", "access-token-alg": "ES256", "refresh-token-ttl": "168h", "key-rotation": "24h", "log-level": "info",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if err := (server.Config{}).Check(); err != nil {
		t.Errorf("the zero value is refused: %v", err)
	}
}

func TestDefaultsThatFollow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg           server.Config
		setting, want string
	}{
		"url from the port":                {server.Config{Listen: "[::1]:9000"}, "url", "http://localhost:9000"},
		"url without a slash":              {server.Config{URL: "https://example.com/auth/"}, "url", "https://example.com/auth"},
		"db in data":                       {server.Config{Data: "/srv/auth"}, "db", "sqlite:/srv/auth/ostiary.db"},
		"no key file beside a key":         {server.Config{MasterKey: "x"}, "master-key-file", ""},
		"idle is not longer than absolute": {server.Config{SessionTTL: time.Hour}, "session-idle-ttl", "1h"},
		"quiet where addresses are proven": {server.Config{RequireVerifiedEmail: true}, "signup-tells", "false"},
		"what is said stays":               {server.Config{SignupTells: new(false)}, "signup-tells", "false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := settings(c.cfg)[c.setting]; got != c.want {
				t.Errorf("%s is %q, want %q", c.setting, got, c.want)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for setting, cfg := range map[string]server.Config{
		"listen":                 {Listen: "8080"},
		"url":                    {URL: "http://example.com"},
		"trusted-proxies":        {TrustedProxies: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}},
		"allowed-hosts":          {AllowedHosts: []string{"https://example.com"}},
		"cors-origins":           {CORSOrigins: []string{"*"}},
		"db":                     {DB: "oracle://localhost/x"},
		"db-direct":              {DBDirect: "postgres://localhost/x"},
		"db-replica":             {DB: "mysql://localhost/x", DBReplica: "mysql://localhost/x"},
		"db-conns":               {DBConns: 1001},
		"redis":                  {Redis: "memcached://localhost"},
		"master-key":             {MasterKey: "short"},
		"smtp":                   {SMTP: "http://example.com"},
		"product":                {Product: "a\nb"},
		"signup":                 {Signup: "maybe"},
		"require-verified-email": {RequireVerifiedEmail: true, URL: "https://example.com"},
		"password-hash":          {PasswordHash: "md5"},
		"password-min-length":    {PasswordMinLength: 7},
		"password-require":       {PasswordRequire: []string{"emoji"}},
		"breached-passwords-url": {BreachedPasswordsURL: "http://example.com/range/"},
		"reset-ttl":              {ResetTTL: time.Second},
		"magic-link-ttl":         {MagicLinkTTL: 2 * time.Hour},
		"session-ttl":            {SessionTTL: time.Second},
		"session-idle-ttl":       {SessionIdleTTL: 1000 * time.Hour},
		"access-token-ttl":       {AccessTokenTTL: 25 * time.Hour},
		"access-token-alg":       {AccessTokenAlg: "none"},
		"refresh-token-ttl":      {RefreshTokenTTL: time.Minute},
		"key-rotation":           {KeyRotation: time.Minute},
		"log-format":             {LogFormat: "xml"},
		"log-level":              {LogLevel: "loud"},
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			err := cfg.Check()
			if err == nil || !strings.HasPrefix(err.Error(), setting+": ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line about %s", err, setting)
			}
		})
	}
}

// TestEverySettingIsOneOfEach holds the fields to their tags: a name that is a flag, a group and a help.
func TestEverySettingIsOneOfEach(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[server.Config]().Fields() {
		if field.Tag.Get("kong") == "-" {
			continue
		}
		if field.Tag.Get("name") == "" || field.Tag.Get("group") == "" || !strings.HasSuffix(field.Tag.Get("help"), ".") {
			t.Errorf("field %s lacks a name, a group or a help of whole sentences", field.Name)
		}
	}
	if got := server.Variable("session-ttl"); got != "OSTIARY_SESSION_TTL" {
		t.Errorf("the variable is %s", got)
	}
}

func TestSecretsPrintNothing(t *testing.T) {
	t.Parallel()
	cfg := server.Config{
		SMTP: "smtp://user:canary@localhost?from=a@example.com", MasterKey: "canary", DB: "postgres://user:canary@db/x?password=canary",
		DBDirect: "postgres://user:canary@db/x", DBReplica: "postgres://user:%zz canary@db/x", Redis: "redis://user:canary@cache:6379/0",
	}
	written, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", cfg), "%+v": fmt.Sprintf("%+v", cfg), "%#v": fmt.Sprintf("%#v", cfg), "%s": cfg.SMTP.String(),
		"%q": fmt.Sprintf("%q", cfg.SMTP), "json": string(written), "settings": fmt.Sprint(cfg.Settings()), "error": fmt.Sprint(cfg.Check()),
	} {
		if strings.Contains(text, "canary") {
			t.Errorf("%s shows a secret: %s", name, text)
		}
	}
	if diff := cmp.Diff("(secret)", settings(cfg)["smtp"]); diff != "" {
		t.Error(diff)
	}
}
