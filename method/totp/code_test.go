package totp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/method/totp"
)

var rfcSecret = []byte("12345678901234567890")

func TestRFC4226_AppendixD(t *testing.T) {
	t.Parallel()
	for counter, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := totp.HOTP(rfcSecret, uint64(counter)); got != want {
			t.Errorf("counter %d: got %s, want %s", counter, got, want)
		}
	}
}

// The vectors have eight digits; a code of six is their end.
func TestRFC6238_AppendixB(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[uint64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := totp.HOTP(rfcSecret, seconds/30); got != want[2:] {
			t.Errorf("%d: got %s, want %s", seconds, got, want[2:])
		}
	}
}

func TestOtpauth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ issuer, account, label string }{
		"plain":      {"Example", "ada@example.com", "Example:ada@example.com"},
		"spaces":     {"Ada & Sons", "ada+x@example.com", "Ada & Sons:ada+x@example.com"},
		"colons":     {"a:b", "c:d", "a b:c d"},
		"injection":  {"x?secret=AAAA&", "y#z/../%41", "x?secret=AAAA&:y#z/../%41"},
		"everywhere": {"Überall", "ádá@exämple.com", "Überall:ádá@exämple.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := totp.Otpauth(c.issuer, c.account, "JBSWY3DPEHPK3PXP")
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			if u.Scheme != "otpauth" || u.Host != "totp" || strings.TrimPrefix(u.Path, "/") != c.label || u.Fragment != "" {
				t.Errorf("got %s", text)
			}
			if q.Get("secret") != "JBSWY3DPEHPK3PXP" || len(q["secret"]) != 1 || q.Get("issuer") != strings.ReplaceAll(c.issuer, ":", " ") || strings.Contains(text, "+") {
				t.Errorf("got %s", text)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"123456": "123456", " 123 456 ": "123456", "000000": "000000", "12345": "", "1234567": "", "": "", "12345a": "", "１２３４５６": "",
		"-12345": "", "123456\x00": "",
	} {
		if got := totp.Plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"abcd-efgh-ijkl": "abcdefghijkl", "ABCD EFGH IJKL": "abcdefghijkl", "abcd-efgh-0123": "abcdefghol23", "abcd": "", "": "",
		strings.Repeat("a", 65): "",
	} {
		if got := totp.PlainBackup(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Whatever is typed, what is compared is empty or has the length of a code.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"123 456", "abcd-efgh-ijkl", "", "\x00", "１２３４５６", "ŀ-ſ K"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := totp.Plain(text); got != "" && (len(got) != 6 || strings.Trim(got, "0123456789") != "") {
			t.Errorf("%q became %q", text, got)
		}
		if got := totp.PlainBackup(text); got != "" && len(got) != 12 {
			t.Errorf("%q became %q", text, got)
		}
	})
}
