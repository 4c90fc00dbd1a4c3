package password_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/method/password"
)

func TestR35_Policy(t *testing.T) {
	t.Parallel()
	all := password.Policy{Require: []string{"upper", "lower", "digit", "symbol"}}
	eight := password.Policy{MinLength: 8}
	person := []string{"ada.lovelace@analytical.example", "Ada Lovelace", "Ostiary", "login.engine-works.org"}
	cases := []struct {
		name     string
		policy   password.Policy
		password string
		code     string // "" for good
	}{
		{"several words", password.Policy{}, "correct horse battery staple", ""},
		{"random", password.Policy{}, "hV8-qm2Lx0Tz", ""},
		{"twelve", password.Policy{}, "xkvjwqzpbtrm", ""},
		{"eleven", password.Policy{}, "xkvjwqzpbtr", "too_short"},
		{"empty", password.Policy{}, "", "too_short"},
		{"twelve of other scripts", password.Policy{}, "犬は庭で静かに眠っていた", ""},
		{"eleven that are more bytes", password.Policy{}, "犬は庭で静かに眠ってい", "too_short"},
		{"256", password.Policy{}, strings.Repeat("correct horse battery staple and ", 8)[:255] + "x", ""},
		{"257", password.Policy{}, strings.Repeat("x", 257), "too_long"},
		{"huge", password.Policy{}, strings.Repeat("x", 1<<20), "too_long"},
		{"long after normalisation", password.Policy{}, strings.Repeat("\ufdfa", 100), "too_long"},
		{"not text", password.Policy{}, "hV8-qm2Lx0T\xff\xfe", "invalid"},
		{"eight allowed", eight, "hV8-qm2L", ""},
		{"seven never", password.Policy{MinLength: 4}, "hV8-qm2", "too_short"},
		{"one letter", password.Policy{}, "aaaaaaaaaaaa", "repetitive"},
		{"alphabet", password.Policy{}, "abcdefghijkl", "repetitive"},
		{"backwards", password.Policy{}, "ZYXWVUTSRQPO", "repetitive"},
		{"digits", password.Policy{}, "123456789012", "repetitive"},
		{"keyboard", password.Policy{}, "qwertyuiop12", "repetitive"},
		{"two rows", password.Policy{}, "qwertyasdfgh", "repetitive"},
		{"four letters", password.Policy{}, "abcabcabcabc", "repetitive"},
		{"twice", password.Policy{}, "hV8qm2hV8qm2", "repetitive"},
		{"pairs", password.Policy{}, "112233445566", "repetitive"},
		{"common", password.Policy{}, "businessbabe", "common"},
		{"common and a year", password.Policy{}, "Password2024!", "common"},
		{"common, dressed", password.Policy{}, "!!P@ssw0rd!!", "common"},
		{"common, full width", password.Policy{}, "Ｐａｓｓｗｏｒｄ2024", "common"},
		{"name and digits", password.Policy{}, "jennifer1987!", "common"},
		{"common and enough besides", password.Policy{}, "password vq8 tulip", ""},
		{"address", password.Policy{}, "ada.lovelace@analytical.example", "context"},
		{"name and year", password.Policy{}, "AdaLovelace1815", "context"},
		{"product", password.Policy{}, "ostiary-27#x", "context"},
		{"host", password.Policy{}, "EngineWorks12", "context"},
		{"name and enough besides", password.Policy{}, "lovelace tuba vinegar", ""},
		{"no upper", all, "hv8-qm2lx0tz", "missing_upper"},
		{"no lower", all, "HV8-QM2LX0TZ", "missing_lower"},
		{"no digit", all, "hVa-qmbLxcTz", "missing_digit"},
		{"no symbol", all, "hV8aqm2Lx0Tz", "missing_symbol"},
		{"all four", all, "hV8-qm2Lx0Tz", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			normal, err := c.policy.Check(c.password, person...)
			if c.code == "" {
				if err != nil || normal != c.password {
					t.Fatalf("Check = %q, %v", normal, err)
				}
				return
			}
			var weak *password.Weakness
			if !errors.As(err, &weak) || weak.Code != c.code || normal != "" {
				t.Fatalf("Check = %q, %v, want %s", normal, err, c.code)
			}
			if c.password != "" && len(c.password) < 100 && strings.Contains(err.Error(), c.password) {
				t.Error("the sentence echoes the password")
			}
		})
	}
}

func TestR35_NormalForm(t *testing.T) {
	t.Parallel()
	composed, err := password.Normal("crème brûlée ①")
	if err != nil {
		t.Fatal(err)
	}
	decomposed, err := password.Normal("cre\u0300me bru\u0302le\u0301e 1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(composed, decomposed); diff != "" {
		t.Error(diff)
	}
}

func TestPolicyValidate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		policy password.Policy
		ok     bool
	}{
		{"zero", password.Policy{}, true},
		{"eight", password.Policy{MinLength: 8, Require: []string{"upper", "symbol"}}, true},
		{"seven", password.Policy{MinLength: 7}, false},
		{"negative", password.Policy{MinLength: -1}, false},
		{"257", password.Policy{MinLength: 257}, false},
		{"unknown class", password.Policy{Require: []string{"emoji"}}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := c.policy.Validate(); (err == nil) != c.ok {
				t.Errorf("Validate = %v", err)
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"", "correct horse battery staple", "Password2024!", "aaaaaaaaaaaa", "\xff", "\ufdfa\ufdfa", "e\u0301e\u0301"} {
		f.Add(s, "ada@example.com")
	}
	f.Fuzz(func(t *testing.T, s, context string) {
		normal, err := (password.Policy{}).Check(s, context)
		if err != nil {
			return
		}
		again, err := password.Normal(normal)
		if err != nil || again != normal {
			t.Errorf("Normal(%q) = %q, %v: not a normal form", normal, again, err)
		}
	})
}
