package magiclink

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"

	"github.com/ostiary/ostiary"
)

// letter is what the ticket of one mail remembers, sealed. One row answers to two secrets, which share its key and differ
// in their second half: the ticket of who asked, and the token in the mail. Neither is worth anything without the other
// side: the token needs the asking browser or its ticket, the ticket needs the code.
type letter struct {
	Ticket  []byte `json:"t"` // hash of the asker's half
	Token   []byte `json:"l"` // hash of the mail's half
	Browser []byte `json:"b"` // hash of the asker's mark
	Code    string `json:"c"`
	Address string `json:"a"`           // normal form
	Epoch   int64  `json:"e,omitempty"` // of the person
	SignUp  string `json:"s,omitempty"` // the address as it was written, of somebody who has no account yet
	Decoy   bool   `json:"d,omitempty"` // nobody got this mail
	Slot    int    `json:"n"`
}

const codeDigits = 6

func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("make code: %w", err)
	}
	return fmt.Sprintf("%0*d", codeDigits, n), nil
}

// newHalf returns 128 random bits as text.
func newHalf() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func join(key, half string) string { return key + "." + half }

func split(secret string) (key, half string) {
	key, half, _ = strings.Cut(secret, ".")
	return key, half
}

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func same(want []byte, given string) bool { return subtle.ConstantTimeCompare(want, hash(given)) == 1 }

// rightCode compares what a person typed, spaces and hyphens left out.
func (l *letter) rightCode(typed string) bool {
	typed = strings.NewReplacer(" ", "", "-", "").Replace(typed)
	return subtle.ConstantTimeCompare([]byte(l.Code), []byte(typed)) == 1 && !l.Decoy
}

// asker says whether a call comes from where the mail was asked for: the same browser, or somebody with the ticket.
func (l *letter) asker(c *ostiary.Call, key, ticket string) bool {
	if mark := c.Marked(cookie); mark != "" && same(l.Browser, mark) {
		return true
	}
	of, half := split(ticket)
	return of == key && same(l.Ticket, half)
}
