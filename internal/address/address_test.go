package address_test

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/address"
)

func TestNormal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"plain":                   {"ada@example.com", "ada@example.com"},
		"letter case":             {"Ada.Lovelace@EXAMPLE.com", "ada.lovelace@example.com"},
		"plus":                    {"ada+news@example.com", "ada+news@example.com"},
		"full-width letters":      {"ａｄａ@example.com", "ada@example.com"},
		"sharp s folds":           {"straße@example.com", "strasse@example.com"},
		"composed and decomposed": {"jose\u0301@example.com", "jos\u00e9@example.com"},
		"international domain":    {"ada@Bücher.example", "ada@xn--bcher-kva.example"},
		"ideographic full stop":   {"ada@example。com", "ada@example.com"},
		"localhost":               {"ada@localhost", "ada@localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := address.Normal(c.in)
			if err != nil || got != c.want {
				t.Fatalf("Normal(%q) = %q, %v; want %q", c.in, got, err, c.want)
			}
		})
	}
}

func TestNormalRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "@", "ada", "ada@", "@example.com", "ada@@example.com", "ada lovelace@example.com", "ada@exam ple.com",
		"\"ada\"@example.com", "Ada <ada@example.com>", "ada@[127.0.0.1]", "ada@example", ".ada@example.com", "ada.@example.com",
		"a..b@example.com", "ada@-example.com", "ada@example..com", "ada@example.com.", "ada@example.com\n", "ada\x00@example.com",
		"ada\r\nBcc: x@example.com", "ada@exa_mple.com", "ada@\xff.com", strings.Repeat("a", 65) + "@example.com",
		"ada@" + strings.Repeat("a.", 130) + "com", "ada\u200b@example.com", "ada@ex\u202eample.com",
	} {
		if got, err := address.Normal(in); err == nil {
			t.Errorf("Normal(%q) = %q, want an error", in, got)
		}
	}
}

// Two spellings that look or compare alike must not become two accounts, and normalising twice changes nothing.
func FuzzNormal(f *testing.F) {
	for _, s := range []string{"ada@example.com", "ＡＤＡ@ＥＸＡＭＰＬＥ.com", "i̇stanbul@example.com", "ǅ@example.com", "ß@ß.de", "a@xn--bcher-kva.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := address.Normal(s)
		if err != nil {
			return
		}
		again, err := address.Normal(n)
		if err != nil || again != n {
			t.Fatalf("Normal(%q) = %q, but Normal of that = %q, %v", s, n, again, err)
		}
		if len(n) > 254 || strings.Count(n, "@") != 1 || strings.ContainsAny(n, " \r\n\x00<>\"") {
			t.Fatalf("Normal(%q) = %q", s, n)
		}
	})
}
