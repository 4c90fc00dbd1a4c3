package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // RFC 4226 names it, and apps know nothing else; HMAC does not rest on its collisions
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	digits     = 6
	modulus    = 1_000_000
	period     = 30 * time.Second
	secretSize = 20 // bytes, as RFC 4226 §4 recommends
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

func newSecret() []byte {
	secret := make([]byte, secretSize)
	rand.Read(secret)
	return secret
}

// hotp is the code of a counter (RFC 4226 §5.3).
func hotp(secret []byte, counter uint64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, counter) // a hash never fails
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", digits, n%modulus)
}

// Code is what an authenticator app shows at a moment for a secret in base32, as setup returns it: for programs and tests
// that stand in for an app.
func Code(secret string, at time.Time) (string, error) {
	raw, err := base32Text.DecodeString(strings.ToUpper(strings.TrimRight(strings.ReplaceAll(secret, " ", ""), "=")))
	if err != nil || len(raw) == 0 {
		return "", errors.New("the secret is not base32")
	}
	return hotp(raw, uint64(stepAt(at))), nil
}

// stepAt is the time step of a moment (RFC 6238 §4.2).
func stepAt(t time.Time) int64 { return t.Unix() / int64(period/time.Second) }

// match finds the step that a code belongs to: the one of now, or one beside it for clocks that differ (RFC 6238 §5.2), and
// only one after used, so that none is taken twice.
func match(secret []byte, code string, now time.Time, used int64) (step int64, ok bool) {
	for s := stepAt(now) - 1; s <= stepAt(now)+1; s++ {
		same := subtle.ConstantTimeCompare([]byte(hotp(secret, uint64(s))), []byte(code)) == 1
		if same && s > used {
			step, ok = s, true
		}
	}
	return step, ok
}

// plain is a code as people type it, without the spaces in it; "" when it cannot be one.
func plain(text string) string {
	code := strings.ReplaceAll(strings.TrimSpace(text), " ", "")
	if len(code) != digits || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	return code
}
