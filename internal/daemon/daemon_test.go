package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/ostiary/ostiary/internal/daemon"
	"github.com/ostiary/ostiary/server"
)

// output collects what several goroutines write.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
	saw func(text string)
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.buf.Write(b)
	if o.saw != nil {
		o.saw(o.buf.String())
	}
	return n, err
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func run(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs output
	code = daemon.Program{Args: args, Env: env, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Version: "test"}.Run(t.Context())
	return code, out.String(), errs.String()
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ostiary.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEverySettingFromEverySource sets each setting in the file, in a variable and by flag: the later wins.
func TestEverySettingFromEverySource(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][3]string{
		"listen":                  {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"},
		"url":                     {"https://a.example.com", "https://b.example.com", "https://c.example.com"},
		"trusted-proxies":         {"10.0.0.0/8", "10.1.0.0/16,10.2.0.0/16", "10.3.0.0/16"},
		"allowed-hosts":           {"a.example.com", "b.example.com", "c.example.com,d.example.com"},
		"cors-origins":            {"https://a.example.com", "https://b.example.com", "https://c.example.com"},
		"insecure-http":           {"true", "false", "true"},
		"data":                    {"a", "b", "c"},
		"db":                      {"sqlite:a", "sqlite:b", "sqlite:c"},
		"master-key-file":         {"a", "b", "c"},
		"product":                 {"A", "B, with a comma", "C"},
		"smtp-file":               {"a", "b", "c"},
		"allow-mail-outbox":       {"false", "true", "false"},
		"signup":                  {"open", "invite", "closed"},
		"signup-tells":            {"true", "false", "true"},
		"require-verified-email":  {"true", "false", "true"},
		"password-hash":           {"bcrypt:cost=10", "bcrypt:cost=11", "bcrypt:cost=12"},
		"password-min-length":     {"9", "10", "11"},
		"password-require":        {"upper", "lower", "digit,symbol"},
		"reset-ttl":               {"10m", "20m", "30m"},
		"magic-link-ttl":          {"10m", "20m", "30m"},
		"magic-link-signup":       {"false", "true", "false"},
		"session-ttl":             {"200h", "300h", "400h"},
		"session-idle-ttl":        {"2h", "3h", "4h"},
		"access-token-ttl":        {"2m", "3m", "4m"},
		"access-token-alg":        {"RS256", "PS256", "EdDSA"},
		"refresh-token-ttl":       {"2h", "3h", "4h"},
		"key-rotation":            {"2h", "3h", "4h"},
		"first-party-audiences":   {"a", "b", "c,d"},
		"log-format":              {"text", "json", "text"},
		"log-level":               {"debug", "warn", "error"},
		"insecure-no-rate-limits": {"false", "true", "false"},
		"master-key":              {"(secret)", "(secret)", "(secret)"},
		"smtp":                    {"(secret)", "(secret)", "(secret)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			texts := values
			if values[0] == "(secret)" {
				texts = [3]string{secretFor(name, "1"), secretFor(name, "2"), secretFor(name, "3")}
			}
			config := "--config=" + file(t, name+": "+yamlValue(texts[0])+"\n")
			empty := "--data=" + filepath.Join(t.TempDir(), "none")
			if name == "data" {
				empty = "--json"
			}
			variable := []string{server.Variable(name) + "=" + texts[1]}
			for i, got := range []string{
				effective(t, name, nil, config, empty), effective(t, name, variable, config, empty),
				effective(t, name, variable, config, empty, "--"+name+"="+texts[2]),
			} {
				if got != values[i] {
					t.Errorf("source %d: %q, want %q", i, got, values[i])
				}
			}
		})
	}
}

func secretFor(name, digit string) string {
	if name == "smtp" {
		return "smtp://u:" + digit + "@localhost?from=a@example.com"
	}
	return strings.Repeat("0123456789abcde"+digit, 4)
}

func yamlValue(text string) string { return `"` + text + `"` }

// effective asks doctor what a setting is.
func effective(t *testing.T, name string, env []string, args ...string) string {
	t.Helper()
	_, stdout, stderr := run(t, env, append([]string{"doctor", "--json"}, args...)...)
	var report struct {
		Items []server.Finding `json:"items"`
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	for _, f := range report.Items {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("doctor has no line for %s", name)
	return ""
}

// TestSecretsNeverShow gives secrets from every source to every command, in right and wrong ways.
func TestSecretsNeverShow(t *testing.T) {
	t.Parallel()
	const canary = "ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a"
	smtp := "smtp://relay:" + canary + "@localhost:1?from=no-reply@example.com"
	data := filepath.Join(t.TempDir(), "data")
	base := []string{"OSTIARY_MASTER_KEY=" + canary, "OSTIARY_SMTP=" + smtp, "OSTIARY_DATA=" + data, "OSTIARY_PASSWORD_HASH=argon2id:m=7168,t=5,p=1"}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  []string
		args []string
	}{
		"doctor":               {base, []string{"doctor"}},
		"doctor in JSON":       {base, []string{"doctor", "--json"}},
		"users":                {base, []string{"users", "list"}},
		"a password":           {base, []string{"users", "create", "--email", "ada@example.com", "--password-file", password, "--json"}},
		"flags":                {nil, []string{"doctor", "--smtp", smtp, "--master-key", canary, "--data", data}},
		"a key that is none":   {[]string{"OSTIARY_MASTER_KEY=" + canary + "!"}, []string{"users", "list"}},
		"both kinds of key":    {append(base, "OSTIARY_MASTER_KEY_FILE=x"), []string{"users", "list"}},
		"a mail server":        {[]string{"OSTIARY_SMTP=http://" + canary}, []string{"doctor"}},
		"a broken URL":         {[]string{"OSTIARY_SMTP=smtp://u:" + canary + "@%zz"}, []string{"doctor"}},
		"a database":           {[]string{"OSTIARY_DB=postgres://u:" + canary + "@localhost/x"}, []string{"serve"}},
		"YAML":                 {nil, []string{"doctor", "--config", file(t, "smtp: "+smtp+"\nmaster-key: "+canary+"\n")}},
		"YAML of a wrong kind": {nil, []string{"doctor", "--config", file(t, "smtp: ["+canary+"]\n")}},
		"YAML that is none":    {nil, []string{"doctor", "--config", file(t, "smtp: \""+canary+"\n  : x\n\t")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, stdout, stderr := run(t, c.env, c.args...)
			if text := stdout + stderr; strings.Contains(text, canary[:12]) {
				t.Errorf("a secret shows: %s", text)
			}
		})
	}
}

// TestServeLogsNoSecret runs the server at its most talkative.
func TestServeLogsNoSecret(t *testing.T) {
	t.Parallel()
	const canary = "ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a41ca4a"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errs := &output{}, &output{}
	address := regexp.MustCompile(`http://localhost:\d+`)
	var once sync.Once
	out.saw = func(text string) {
		if base := address.FindString(text); base != "" {
			once.Do(func() { go visit(ctx, base+"/reset?token="+canary, cancel) })
		}
	}
	code := daemon.Program{
		Args:  []string{"serve", "--listen=127.0.0.1:0", "--log-level=debug", "--log-format=json", "--data=" + filepath.Join(t.TempDir(), "data")},
		Env:   []string{"GOMEMLIMIT=off", "OSTIARY_MASTER_KEY=" + canary, "OSTIARY_SMTP=smtp://u:" + canary + "@localhost:1?from=a@example.com"},
		Stdin: strings.NewReader(""), Stdout: out, Stderr: errs, Version: "test",
	}.Run(ctx)
	text := out.String() + errs.String()
	if code != 0 || !strings.Contains(text, "stopping") || !strings.Contains(text, `"path":"/reset"`) {
		t.Errorf("exit code %d: %s", code, text)
	}
	if strings.Contains(text, canary) || strings.Contains(text, "token=") {
		t.Errorf("a secret shows: %s", text)
	}
}

// visit follows a link as a mail holds it, and then ends the server.
func visit(ctx context.Context, link string, done func()) {
	defer done()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return
	}
	if answer, err := http.DefaultClient.Do(r); err == nil {
		_ = answer.Body.Close()
	}
}

func TestLimitsOfTheFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"too large":     {strings.Repeat("# filler\n", 10_000), "is larger than 64 KiB"},
		"two documents": {"log-level: info\n---\nlog-level: info\n", "want one document"},
		"an alias":      {"data: &x a\ndb: *x\n", "want one value"},
		"no value":      {"data:\n", "has no value"},
		"a nested list": {"allowed-hosts: [[a]]\n", "want one plain value"},
		"a long name":   {strings.Repeat("x", 500) + ": 1\n", "unknown setting"},
		"a binary file": {"\x00\x01\x02", "not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := run(t, nil, "doctor", "--config", file(t, c.text))
			if code != 2 || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 || len(stderr) > 300 {
				t.Errorf("exit code %d: %s", code, stderr)
			}
		})
	}
	if code, stdout, stderr := run(t, nil, "doctor", "--data="+t.TempDir()+"/none", "--config", file(t, "# nothing\n")); code != 0 {
		t.Errorf("an empty file: %d %s%s", code, stdout, stderr)
	}
}
