package mail_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/mail"
)

var update = flag.Bool("update", false, "write the golden files")

func names() []string {
	return []string{
		"verify", "reset", "password_changed", "email_change", "email_changed", "signup_exists", "token_theft", "invite",
		"account_deleted", "email_taken", "mfa_enabled", "mfa_disabled", "mfa_recovery", "backup_codes_low", "magic_link", "magic_signup", "sign_in_attempts",
		"passkey_added", "passkey_removed", "passkey_cloned",
	}
}

func data() mail.Data {
	return mail.Data{
		Product: "Example", URL: "https://id.example.com", Link: "https://id.example.com/verify?token=abc-123_XYZ&x=1",
		Code: "012345", Expires: "1 hour", Name: "Ada Lovelace", Email: "new@example.com", When: "21 November 2026, 09:30 UTC",
		Source: "203.0.113.7", Device: "Firefox on Linux", Factors: []string{"authenticator app", "passkey"}, Left: "3",
	}
}

func templates(t *testing.T) *mail.Templates {
	t.Helper()
	all, err := mail.NewTemplates(nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestGolden(t *testing.T) {
	t.Parallel()
	all := templates(t)
	if err := all.Check(names()...); err != nil {
		t.Fatal(err)
	}
	for _, name := range names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := all.Render(name, "en", data())
			if err != nil {
				t.Fatal(err)
			}
			got := "Subject: " + m.Subject + "\n\n" + m.Text + "\n--- HTML ---\n" + m.HTML
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A message may be kept as JSON before it is rendered: a map gives the same mail, and may lack what is optional.
func TestRenderMaps(t *testing.T) {
	t.Parallel()
	all := templates(t)
	least := map[string]any{"Product": "Example", "URL": "https://id.example.com", "Link": "https://id.example.com/x", "Email": "a@example.com"}
	for _, name := range names() {
		m, err := all.Render(name, "", least)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, part := range []string{m.Text, m.HTML} {
			if strings.Contains(part, "no value") || strings.Contains(part, "When:") {
				t.Errorf("%s from a map: %s", name, part)
			}
		}
	}
	if _, err := all.Render("verify", "", map[string]any{"Product": "Example", "URL": "https://id.example.com"}); err == nil {
		t.Error("a mail without its link was made")
	}
}

func TestHTMLIsEscaped(t *testing.T) {
	t.Parallel()
	d := data()
	d.Name = `<script>alert("x")</script>`
	d.Device = `"><img src=x onerror=alert(1)>`
	d.Source = `</li></ul><h1>hello</h1>`
	d.Link = `javascript:alert(1)`
	for _, name := range names() {
		m, err := templates(t).Render(name, "en", d)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script", "<img", "<h1>hello", `href="javascript`} {
			if strings.Contains(m.HTML, bad) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
	}
}

// What strangers can write into a mail to somebody else is one short line without a link.
func TestStrangersWriteNoLinks(t *testing.T) {
	t.Parallel()
	d := data()
	evil := "you\r\n\r\nwon: https://evil.example/x www.evil.example evil.example a@evil.example " + strings.Repeat("y", 500)
	d.Name, d.Device, d.Source = evil, evil, evil
	for _, name := range names() {
		m, err := templates(t).Render(name, "en", d)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"evil.example", "://evil", "\nwon", strings.Repeat("y", 61)} {
			if strings.Contains(m.Text, bad) || strings.Contains(m.HTML, bad) {
				t.Errorf("%s holds %q", name, bad)
			}
		}
	}
	for _, name := range []string{"verify", "email_change", "invite", "signup_exists", "email_taken"} {
		m, _ := templates(t).Render(name, "en", data())
		if strings.Contains(m.Text+m.HTML, "Ada") {
			t.Errorf("%s goes to an address that may not be the person's, and holds a name", name)
		}
	}
}

func TestSubjectIsOneLine(t *testing.T) {
	t.Parallel()
	d := data()
	d.Product = "Example\r\nBcc: everybody@example.com"
	m, err := templates(t).Render("verify", "en", d)
	if err != nil || strings.ContainsAny(m.Subject, "\r\n") {
		t.Errorf("subject %q, %v", m.Subject, err)
	}
}

func TestOverridesAndLocales(t *testing.T) {
	t.Parallel()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	all, err := mail.NewTemplates(fstest.MapFS{
		"en/verify.txt":   file(`{{define "subject"}}Mine{{end}}{{define "body"}}Mine {{.Link}}{{end}}`),
		"de/verify.txt":   file(`{{define "subject"}}Adresse{{end}}{{define "body"}}Deutsch{{end}}`),
		"de/verify.html":  file(`{{define "body"}}<p>Deutsch</p>{{end}}`),
		"de/layout.txt":   file(`Hallo: {{template "body" .}}`),
		"de-AT/reset.txt": file(`{{define "subject"}}Servus{{end}}{{define "body"}}x{{end}}`), "de-AT/reset.html": file(`{{define "body"}}x{{end}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, locale, subject string }{
		{"verify", "en", "Mine"},
		{"verify", "", "Mine"},
		{"verify", "fr-CA", "Mine"},
		{"verify", "de", "Adresse"},
		{"verify", "DE-at", "Adresse"},
		{"reset", "de-AT-1996", "Servus"},
		{"reset", "de", "Choose a new password for Example"},
		{"verify", "../en", "Mine"},
	}
	for _, c := range cases {
		m, err := all.Render(c.name, c.locale, data())
		if err != nil || m.Subject != c.subject {
			t.Errorf("%s in %q: subject %q, %v", c.name, c.locale, m.Subject, err)
		}
	}
	m, _ := all.Render("verify", "de", data())
	if diff := cmp.Diff("Hallo: Deutsch", m.Text); diff != "" {
		t.Error(diff)
	}
	if m, _ = all.Render("verify", "en", data()); !strings.Contains(m.HTML, "Confirm my address") {
		t.Error("overriding the text removed the HTML")
	}
}

func TestMistakesShowAtStart(t *testing.T) {
	t.Parallel()
	cases := map[string]fstest.MapFS{
		"syntax":     {"en/verify.txt": {Data: []byte(`{{define "subject"}}{{.`)}},
		"no subject": {"en/mine.txt": {Data: []byte(`{{define "body"}}x{{end}}`)}, "en/mine.html": {Data: []byte(`{{define "body"}}x{{end}}`)}},
		"no body":    {"en/verify.html": {Data: []byte(`hello`)}},
		"no HTML":    {"en/mine.txt": {Data: []byte(`{{define "subject"}}x{{end}}{{define "body"}}x{{end}}`)}},
	}
	for name, files := range cases {
		if _, err := mail.NewTemplates(files); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := templates(t).Check("verify", "nonsense"); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("Check = %v", err)
	}
	if _, err := templates(t).Render("layout", "en", data()); err == nil {
		t.Error("the layout is a mail")
	}
}
