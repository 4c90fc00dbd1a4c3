// Package address gives every e-mail address one normal form, so that the same mailbox cannot be registered twice under
// two spellings. It does not know whether a mailbox exists.
package address

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Limits of RFC 5321 §4.5.3.1, in octets of the normal form.
const (
	maxLocal = 64
	maxTotal = 254
)

// ErrInvalid says that a text is not an address that mail could be sent to.
var ErrInvalid = errors.New("not a valid e-mail address")

// Normal returns the form in which addresses are compared: the local part in NFKC with its case folded, the domain as
// IDNA ASCII. Quoted local parts, comments, display names, address literals and addresses without a dot in the domain
// (except localhost) are refused: nobody signs up with them, and each is a way to smuggle something past a parser.
func Normal(email string) (string, error) {
	if len(email) > 4*maxTotal || !utf8.ValidString(email) {
		return "", ErrInvalid
	}
	at := strings.LastIndexByte(email, '@')
	if at <= 0 || at == len(email)-1 {
		return "", ErrInvalid
	}
	local, err := localPart(email[:at])
	if err != nil {
		return "", err
	}
	domain, err := domainPart(email[at+1:])
	if err != nil {
		return "", err
	}
	if len(local) > maxLocal || len(local)+1+len(domain) > maxTotal {
		return "", ErrInvalid
	}
	return local + "@" + domain, nil
}

// Settled says whether an address that Normal accepts is written as it would be sent to: its local part is in the normal
// form, ASCII letters in any case. Mail to an address that is not, and mail to its normal form, may reach two people.
func Settled(email string) bool {
	local := email[:max(0, strings.LastIndexByte(email, '@'))]
	normal, err := localPart(local)
	return err == nil && normal == lowerASCII(local)
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func localPart(s string) (string, error) {
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return "", ErrInvalid
	}
	for _, r := range s {
		if !atom(r) {
			return "", ErrInvalid
		}
	}
	return s, nil
}

// atom says whether r may stand in a local part (RFC 5322 §3.2.3 atext and dots, RFC 6531 letters, marks and digits).
func atom(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '.' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) || '0' <= r && r <= '9' || 'a' <= r && r <= 'z'
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

func domainPart(s string) (string, error) {
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(true))
	ascii, err := profile.ToASCII(s)
	if err != nil || ascii == "" || ascii[len(ascii)-1] == '.' || strings.Contains(ascii, "..") {
		return "", ErrInvalid
	}
	if ascii != "localhost" && !strings.Contains(ascii, ".") {
		return "", ErrInvalid
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", ErrInvalid
		}
	}
	return ascii, nil
}
