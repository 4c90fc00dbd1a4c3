package phc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/phc"
)

func parse(t testing.TB, s string) phc.Params {
	t.Helper()
	p, err := phc.ParseParams(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// cheap are parameters for tests: the least that a configuration may say.
func cheap(t testing.TB) map[string]phc.Params {
	t.Helper()
	return map[string]phc.Params{
		"argon2id": parse(t, "argon2id:m=7168,t=5,p=1"),
		"bcrypt":   parse(t, "bcrypt:cost=10"),
	}
}

func TestParseParams(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, in, err string
	}{
		{"the default", "argon2id:m=65536,t=3,p=1", ""},
		{"OWASP's first", "argon2id:m=47104,t=1,p=1", ""},
		{"OWASP's second", "argon2id:m=19456,t=2,p=1", ""},
		{"OWASP's last", "argon2id:m=7168,t=5,p=1", ""},
		{"the most", "argon2id:m=1048576,t=16,p=16", ""},
		{"bcrypt", "bcrypt:cost=12", ""},
		{"too little work", "argon2id:m=19456,t=1,p=1", "at least 35840"},
		{"too little memory", "argon2id:m=7,t=16,p=1", "m=7 is outside 8 to 1048576"},
		{"too little a lane", "argon2id:m=64,t=1,p=16", "below 8 KiB a lane"},
		{"too much memory", "argon2id:m=1048577,t=1,p=1", "outside"},
		{"too many passes", "argon2id:m=65536,t=17,p=1", "t=17"},
		{"no lanes", "argon2id:m=65536,t=3,p=0", "p=0"},
		{"lanes missing", "argon2id:m=65536,t=3", "want m="},
		{"other order", "argon2id:t=3,m=65536,p=1", "m is missing"},
		{"leading zero", "argon2id:m=065536,t=3,p=1", "not a number"},
		{"sign", "argon2id:m=+65536,t=3,p=1", "not a number"},
		{"huge number", "argon2id:m=99999999999999999999,t=3,p=1", "not a number"},
		{"bcrypt too cheap", "bcrypt:cost=9", "outside 10 to 16"},
		{"bcrypt too dear", "bcrypt:cost=17", "outside 10 to 16"},
		{"bcrypt without cost", "bcrypt", "cost is missing"},
		{"unknown", "md5", "want"},
		{"empty", "", "want"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := phc.ParseParams(c.in)
			if c.err == "" {
				if err != nil || p.String() != c.in {
					t.Fatalf("ParseParams(%q) = %v, %v", c.in, p, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Fatalf("ParseParams(%q): error %v, want one about %q", c.in, err, c.err)
			}
		})
	}
	if got := phc.Default().String(); got != "argon2id:m=65536,t=3,p=1" {
		t.Errorf("Default() = %s", got)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	if got := phc.Default().Memory(); got != 64<<20 {
		t.Errorf("memory of the default = %d", got)
	}
	if got := parse(t, "bcrypt:cost=12").Memory(); got > 8<<10 {
		t.Errorf("memory of bcrypt = %d", got)
	}
}

func TestHashAndVerify(t *testing.T) {
	t.Parallel()
	for name, p := range cheap(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			encoded, err := p.Hash([]byte("correct horse battery"))
			if err != nil {
				t.Fatal(err)
			}
			for password, want := range map[string]bool{"correct horse battery": true, "correct horse batterx": false, "": false} {
				if ok, err := phc.Verify(encoded, []byte(password)); ok != want || err != nil {
					t.Errorf("Verify(%q) = %t, %v", password, ok, err)
				}
			}
			if again, _ := p.Hash([]byte("correct horse battery")); again == encoded {
				t.Error("the salt is not fresh")
			}
			if p.Outdated(encoded) {
				t.Error("outdated at birth")
			}
		})
	}
	if _, err := (phc.Params{}).Hash(nil); err == nil {
		t.Error("the zero Params hash")
	}
}

// Nothing is cut: passwords that differ only after the 72nd byte, or after a zero byte, are different passwords.
func TestR35_NothingIsCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 10)
	for name, p := range cheap(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, pair := range [][2]string{{long + "a", long + "b"}, {long, long[:72]}, {"zero\x00a", "zero\x00b"}, {"zero\x00a", "zero"}} {
				encoded, err := p.Hash([]byte(pair[0]))
				if err != nil {
					t.Fatal(err)
				}
				if ok, _ := phc.Verify(encoded, []byte(pair[1])); ok {
					t.Errorf("%q opens what %q closed", pair[1], pair[0])
				}
			}
		})
	}
}

func TestR35_DummyIsARealHashThatNothingMatches(t *testing.T) {
	t.Parallel()
	for name, p := range cheap(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dummy := phc.Dummy(p)
			if p.Outdated(dummy) {
				t.Errorf("a dummy has other parameters: %s", dummy)
			}
			if ok, err := phc.Verify(dummy, []byte("password")); ok || err != nil {
				t.Errorf("Verify(dummy) = %t, %v", ok, err)
			}
			real, _ := p.Hash([]byte("password"))
			if len(real) != len(dummy) {
				t.Errorf("a dummy has %d bytes, a real hash %d", len(dummy), len(real))
			}
		})
	}
}

func TestOutdated(t *testing.T) {
	t.Parallel()
	now := phc.Default()
	cases := []struct {
		name, encoded string
		want          bool
	}{
		{"same", phc.Dummy(now), false},
		{"other memory", phc.Dummy(parse(t, "argon2id:m=19456,t=3,p=1")), true},
		{"other passes", phc.Dummy(parse(t, "argon2id:m=65536,t=2,p=1")), true},
		{"other algorithm", phc.Dummy(parse(t, "bcrypt:cost=12")), true},
		{"short salt", "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", true},
		{"garbage", "x", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := now.Outdated(c.encoded); got != c.want {
				t.Errorf("Outdated = %t", got)
			}
		})
	}
	if b := parse(t, "bcrypt:cost=12"); !b.Outdated("$2b$12$eImiTXuWVxfM37uY4JANjQ==eImiTXuWVxfM37uY4JANj") || !b.Outdated(phc.Dummy(now)) {
		t.Error("imported bcrypt is kept")
	}
}

func TestVerifyOthers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("abc123", 12)
	cases := []struct {
		name, encoded, password string
		want                    bool
	}{
		// passlib 1.7.4, tests/test_handlers_bcrypt.py
		{"passlib, empty", "$bcrypt-sha256$v=2,t=2b,r=5$E/e/2AOhqM5W/KJTFQzLce$WFPIZKtDDTriqWwlmRFfHiOTeheAZWe", "", true},
		{"passlib", "$bcrypt-sha256$v=2,t=2b,r=5$5Hg1DKFqPE8C2aflZ5vVoe$wOK1VFFtS8IGTrGa7.h5fs0u84qyPbS", "password", true},
		{"passlib, wrong", "$bcrypt-sha256$v=2,t=2b,r=5$5Hg1DKFqPE8C2aflZ5vVoe$wOK1VFFtS8IGTrGa7.h5fs0u84qyPbS", "Password", false},
		{"passlib, 72 bytes", "$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$zu1cloESVFIOsUIo7fCEgkdHaI9SSue", long, true},
		{"passlib, 75 bytes", "$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$CBF9csfEdW68xv3DwE6xSULXMtqEFP.", long + "qwr", true},
		{"passlib, 75 other bytes", "$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$CBF9csfEdW68xv3DwE6xSULXMtqEFP.", long + "xyz", false},
		// Openwall's crypt_blowfish 1.3, wrapper.c
		{"2a", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", true},
		{"2y", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", true},
		{"2b", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*", true},
		{"2b, wrong", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U", false},
		{
			"2b, 72 bytes", "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
			"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", true,
		},
		{
			"2b, what C would cut", "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
			"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored", false,
		},
		// phc-winner-argon2, src/test.c
		{"argon2id", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password", true},
		{"argon2id, two lanes", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password", true},
		{"argon2id, wrong", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "passwore", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ok, err := phc.Verify(c.encoded, []byte(c.password))
			if diff := cmp.Diff(c.want, ok); diff != "" || err != nil {
				t.Errorf("Verify = %t, %v", ok, err)
			}
		})
	}
}

// A stored string cannot make us work more than the limits say: it is refused when it is read. A hash of one of these
// would take minutes or all memory, and the test with it.
func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	salt, tag := "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	cases := map[string]string{
		"empty":            "",
		"plain text":       "password",
		"argon2i":          "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + tag,
		"no version":       "$argon2id$m=256,t=2,p=1$" + salt + "$" + tag,
		"old version":      "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + tag,
		"memory":           "$argon2id$v=19$m=4194304,t=1,p=1$" + salt + "$" + tag,
		"passes":           "$argon2id$v=19$m=1048576,t=4294967295,p=1$" + salt + "$" + tag,
		"no passes":        "$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + tag,
		"lanes":            "$argon2id$v=19$m=65536,t=1,p=255$" + salt + "$" + tag,
		"short salt":       "$argon2id$v=19$m=256,t=2,p=1$c29t$" + tag,
		"short tag":        "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$bmY",
		"no tag":           "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$",
		"long tag":         "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("A", 88),
		"padded":           "$argon2id$v=19$m=256,t=2,p=1$" + salt + "=$" + tag,
		"line break":       "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + tag + "\n",
		"stray bits":       "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + tag[:42] + "5",
		"one field more":   "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + tag + "$",
		"too long":         "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("A", 300),
		"bcrypt cost 31":   "$2b$31$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
		"bcrypt cost 3":    "$2b$03$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
		"bcrypt one digit": "$2b$5$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
		"bcrypt short":     "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lw",
		"bcrypt alphabet":  "$2b$05$CCCCCCCCCC!CCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
		"bcrypt 2x":        "$2x$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
		"passlib 1":        "$bcrypt-sha256$2b,5$5Hg1DKFqPE8C2aflZ5vVoe$12BjNE0p7axMg55.Y/mHsYiVuFBDQyu",
		"passlib zero":     "$bcrypt-sha256$v=2,t=2b,r=05$5Hg1DKFqPE8C2aflZ5vVoe$12BjNE0p7axMg55.Y/mHsYiVuFBDQyu",
		"ours, cost 9":     "$bcrypt-hmac-sha256$v=1,r=9$AAAAAAAAAAAAAAAAAAAAAA$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
		"ours, no key":     "$bcrypt-hmac-sha256$v=1,r=10$$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
	}
	for name, encoded := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ok, err := phc.Verify(encoded, []byte("password"))
			if ok || !errors.Is(err, phc.ErrFormat) {
				t.Errorf("Verify = %t, %v", ok, err)
			}
		})
	}
}
