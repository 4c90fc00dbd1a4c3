package password

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The lengths of a password, in code points.
const (
	DefaultMinLength = 12
	LeastMinLength   = 8 // no configuration goes below (NIST SP 800-63B §3.1.1.2)
	MaxLength        = 256
)

// slack is how many unpredictable characters must be left when everything that an attacker tries first is taken away.
const slack = 8

// Policy says which passwords are good enough (R35). The zero value is the default.
type Policy struct {
	MinLength int      // code points; 0 means 12; never below 8
	Require   []string // "upper", "lower", "digit", "symbol"; none by default
}

// Validate finds mistakes of configuration.
func (p Policy) Validate() error {
	if p.MinLength != 0 && (p.MinLength < LeastMinLength || p.MinLength > MaxLength) {
		return fmt.Errorf("password policy: minimal length %d is outside %d to %d", p.MinLength, LeastMinLength, MaxLength)
	}
	for _, class := range p.Require {
		if !slices.ContainsFunc(classes(), func(c charset) bool { return c.name == class }) {
			return fmt.Errorf("password policy: unknown class %q, want upper, lower, digit or symbol", class)
		}
	}
	return nil
}

// Check judges a new password and returns its normal form, which is what gets hashed. Context is what an attacker would
// try first for this person: address, name, the product's and the host's name. The error is a *Weakness.
func (p Policy) Check(password string, context ...string) (normal string, err error) {
	normal, err = Normal(password)
	if err != nil {
		return "", err
	}
	if least := p.least(); utf8.RuneCountInString(normal) < least {
		return "", &Weakness{"too_short", fmt.Sprintf("Use at least %d characters.", least)}
	}
	for _, c := range classes() {
		if slices.Contains(p.Require, c.name) && !strings.ContainsFunc(normal, c.has) {
			return "", &Weakness{"missing_" + c.name, "Add " + c.text + "."}
		}
	}
	folded := fold(normal)
	switch {
	case predictable(folded):
		return "", &Weakness{"repetitive", "This repeats itself or follows a sequence. Use several unrelated words."}
	case common(folded):
		return "", &Weakness{"common", "This is among the passwords that are tried first. Use several unrelated words."}
	case about(folded, context):
		return "", &Weakness{"context", "This is mostly your name, your address or the name of this site. Use something that is not about you."}
	}
	return normal, nil
}

// Normal returns the form of a password that is hashed: NFKC. It is for signing in, where no rule applies but that the
// input is bounded: at most 256 code points of valid UTF-8, before and after. The error is a *Weakness.
func Normal(password string) (string, error) {
	tooLong := &Weakness{"too_long", fmt.Sprintf("Use at most %d characters.", MaxLength)}
	if len(password) > MaxLength*utf8.UTFMax || utf8.RuneCountInString(password) > MaxLength {
		return "", tooLong
	}
	if !utf8.ValidString(password) {
		return "", &Weakness{"invalid", "This is not text in UTF-8."}
	}
	normal := norm.NFKC.String(password)
	if utf8.RuneCountInString(normal) > MaxLength {
		return "", tooLong
	}
	return normal, nil
}

func (p Policy) least() int {
	if p.MinLength == 0 {
		return DefaultMinLength
	}
	return max(p.MinLength, LeastMinLength)
}

// charset is a kind of characters that an operator may demand.
type charset struct {
	name, text string
	has        func(rune) bool
}

func classes() []charset {
	return []charset{
		{"upper", "an upper-case letter", unicode.IsUpper},
		{"lower", "a lower-case letter", unicode.IsLower},
		{"digit", "a digit", unicode.IsDigit},
		{"symbol", "a symbol or a space", func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }},
	}
}
