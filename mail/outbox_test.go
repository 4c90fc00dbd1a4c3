package mail_test

import (
	"errors"
	"io/fs"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/mail"
)

func message() mail.Message {
	return mail.Message{
		To: "ada@example.com", Subject: "Grüße", Text: "Open https://id.example.com/verify?token=a=b now\n",
		HTML: "<p>Grüße</p>",
	}
}

func TestR33_OutboxKeepsMailPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "outbox")
	var out strings.Builder
	box, err := mail.NewOutbox(dir, &out)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := box.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("folder mode %v", info.Mode())
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 3 {
		t.Fatalf("files: %v", files)
	}
	for _, file := range files {
		if info, _ := os.Stat(file); info.Mode() != fs.FileMode(0o600) || filepath.Ext(file) != ".eml" {
			t.Errorf("%s: mode %v", file, info.Mode())
		}
	}
	content, _ := os.ReadFile(files[0])
	parsed, err := netmail.ReadMessage(strings.NewReader(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("<ada@example.com>", parsed.Header.Get("To")); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(content), "https://id.example.com/verify?token=a=b now") {
		t.Errorf("the link cannot be read in the file:\n%s", content)
	}
	note := "mail to ada@example.com: Grüße\n  https://id.example.com/verify?token=a=b\n"
	if diff := cmp.Diff(strings.Repeat(note, 3), out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestR42_OutboxRefusesAnOpenFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec
		t.Fatal(err)
	}
	if _, err := mail.NewOutbox(dir, nil); err == nil {
		t.Error("a folder that others can read was taken")
	}
}

func TestNoHeaderInjection(t *testing.T) {
	t.Parallel()
	box, err := mail.NewOutbox(filepath.Join(t.TempDir(), "outbox"), nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(*mail.Message){
		"line break in the subject":  func(m *mail.Message) { m.Subject = "Hello\r\nBcc: eve@example.com" },
		"bare LF in the subject":     func(m *mail.Message) { m.Subject = "Hello\nBcc: eve@example.com" },
		"terminal escape in subject": func(m *mail.Message) { m.Subject = "Hello\x1b[2J" },
		"huge subject":               func(m *mail.Message) { m.Subject = strings.Repeat("x", 201) },
		"line break in the address":  func(m *mail.Message) { m.To = "ada@example.com\r\nBcc: eve@example.com" },
		"command in the address":     func(m *mail.Message) { m.To = "ada@example.com>\r\nRCPT TO:<eve@example.com" },
		"quoted line break":          func(m *mail.Message) { m.To = "\"a\r\n\"@example.com" },
		"two addresses":              func(m *mail.Message) { m.To = "ada@example.com, eve@example.com" },
		"a name":                     func(m *mail.Message) { m.To = "Ada <ada@example.com>" },
		"no domain":                  func(m *mail.Message) { m.To = "ada@" },
		"empty":                      func(m *mail.Message) { m.To = "" },
		"long":                       func(m *mail.Message) { m.To = strings.Repeat("a", 250) + "@example.com" },
		"huge body":                  func(m *mail.Message) { m.Text = strings.Repeat("x", 1<<20) },
	}
	for name, change := range cases {
		m := message()
		change(&m)
		if err := box.Send(t.Context(), m); !errors.Is(err, mail.ErrPermanent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
