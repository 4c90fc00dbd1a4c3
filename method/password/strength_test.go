package password_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ostiary/ostiary/method/password"
)

func TestStrength(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	for name, c := range map[string]struct {
		in          fields
		least, most float64
		code        string
	}{
		"nothing yet":         {fields{"password": ""}, 0, 0, "too_short"},
		"on the way":          {fields{"password": "purple"}, 0, 1, "too_short"},
		"short and random":    {fields{"password": "xK3$fQ9!vB2"}, 0, 1, "too_short"},
		"unrelated words":     {fields{"password": good}, 3, 4, ""},
		"a sequence":          {fields{"password": "abcdefghijklmno"}, 0, 1, "repetitive"},
		"a common one":        {fields{"password": "password1234"}, 0, 1, "common"},
		"about the person":    {fields{"password": "lovelace1815", "email": "ada@example.com", "name": "Ada Lovelace"}, 0, 1, "context"},
		"rules cap the score": {fields{"password": "adalovelaceadalovelace", "name": "Adalovelace Adalovelace"}, 0, 1, "repetitive"},
		"far too long":        {fields{"password": strings.Repeat("x", password.MaxLength+1)}, 0, 0, "too_long"},
		"long":                {fields{"password": strings.Repeat(good+" ", 8) + "!"}, 4, 4, ""},
		"another script":      {fields{"password": "фиолетовый трактор под луной"}, 3, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.client().post("/password/strength", c.in, 200, c.code)
			score, _ := r.body["score"].(float64)
			hint, _ := r.body["hint"].(string)
			if r.body["acceptable"] != (c.code == "") || score < c.least || score > c.most || hint == "" {
				t.Errorf("got %s, want a score of %v to %v and the code %q", r.raw, c.least, c.most, c.code)
			}
			if pass := c.in["password"].(string); pass != "" && strings.Contains(r.raw, pass) {
				t.Errorf("%s holds the password", r.raw)
			}
		})
	}
}

func TestStrengthKeepsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	spent := w.cost(func() {
		w.client().post("/password/strength", fields{"password": good, "email": "ada@example.com"}, 200, "")
	})
	if spent != (cost{}) {
		t.Errorf("an estimate cost %+v", spent)
	}
	if strings.Contains(w.logs.String(), good) {
		t.Error("the log holds the password")
	}
}

func TestStrengthIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	c := w.client()
	for range 30 {
		c.post("/password/strength", fields{"password": good}, 200, "")
	}
	if r := c.post("/password/strength", fields{"password": good}, 429, "rate_limited"); r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	c.login("ada@example.com", good, 401, "invalid_credentials") // its limit is its own
}

func TestStrengthUsesAPartOfTheCores(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	release := password.OccupyEstimators(w.method)
	if r := w.client().post("/password/strength", fields{"password": good}, 503, "overloaded"); r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	release()
	w.client().post("/password/strength", fields{"password": good}, 200, "")
}

func TestStrengthTakesLittle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.client().post("/password/strength", fields{"password": strings.Repeat("x", 9<<10)}, 413, "payload_too_large")
	w.client().post("/password/strength", fields{"password": good, "more": 1}, 400, "unknown_field")
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		weaker, stronger string
		about            string
	}{
		"symbols for letters":   {"p@$$w0rd", "p@v$kw0r", ""},
		"a row of keys":         {"qwertyuiop[]", "qtrwupoyei][", ""},
		"names of the person":   {"lovelace byron", "lovelace byrum", "Lovelace Byron"},
		"what comes after 64":   {strings.Repeat("a", 64) + "xK3$fQ9!vB2@", "xK3$fQ9!vB2@" + strings.Repeat("a", 64), ""},
		"more words are better": {"purple tractor", good, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			weaker, _ := password.Estimate(c.weaker, c.about)
			stronger, _ := password.Estimate(c.stronger, c.about)
			if weaker > stronger {
				t.Errorf("%q has %d, %q has %d", c.weaker, weaker, c.stronger, stronger)
			}
		})
	}
	for _, weak := range []string{"p@$$w0rd", "qwertyuiop[]", "aaaaaaaaaaaaaaaa", "monkey", "1q2w3e4r"} {
		if score, _ := password.Estimate(weak); score > 1 {
			t.Errorf("%q has %d", weak, score)
		}
	}
}

// hard are inputs of 64 characters that cost the most.
func hard() map[string]string {
	return map[string]string{
		"every stand-in": "4@8({[<369|1!7$5+%2 4@8({[<369|1!7$5+%2 4@8({[<369|1!7$5+%2 4@8(",
		"random":         "xK3$fQ9!vB2@nM7#zL5%wP8^cR4&hT6*jD1(gS0)aY-eU+iO=oN_pI<bE>mA?qWr",
		"keyboard":       strings.Repeat("qazwsxedc", 7),
		"keyboard, 1q":   strings.Repeat("1q2w3e4r5t6y7u8i", 4),
		"short words":    strings.Repeat("anananasinaheis", 5)[:64],
		"digits":         strings.Repeat("12345678", 8),
		"dates":          strings.Repeat("1.1.99 ", 9),
		"one letter":     strings.Repeat("a", 64),
		"one kanji":      strings.Repeat("日", 64),
	}
}

// Memory stands for time, which nobody can test on a busy machine: an estimator that tries every reading of symbols as
// letters allocates 1.7 million times.
func TestNoPasswordIsExpensive(t *testing.T) {
	for name, pass := range hard() {
		if n := testing.AllocsPerRun(1, func() { password.Estimate(pass, strings.Repeat("anan ana nana ", 70)) }); n > 200_000 {
			t.Errorf("%s: %.0f allocations", name, n)
		}
	}
}

func BenchmarkEstimate(b *testing.B) {
	for name, pass := range hard() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				password.Estimate(pass, "ada@example.com", "Ada Lovelace", "Ostiary")
			}
		})
	}
}

func FuzzEstimate(f *testing.F) {
	for _, pass := range hard() {
		f.Add(pass, "Ada")
	}
	f.Add("", "")
	f.Add("İstanbul 31/12/1999 Straße \u0130\u0307", "istanbul")
	f.Fuzz(func(t *testing.T, pass, about string) {
		normal, err := password.Normal(pass)
		if err != nil {
			return
		}
		score, hint := password.Estimate(normal, about)
		if score < 0 || score > 4 || hint == "" {
			t.Errorf("%q has %d, %q", pass, score, hint)
		}
		if utf8.RuneCountInString(normal) > 16 && strings.Contains(hint, normal) {
			t.Errorf("the hint %q holds the password", hint)
		}
	})
}
