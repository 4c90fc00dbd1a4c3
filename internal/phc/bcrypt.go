package phc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptMax    = 72 // bytes that bcrypt looks at
	bcryptSalt   = 22 // characters
	bcryptDigest = 31 // characters
	importCost   = 4  // the least cost of an imported hash
)

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// bcryptHash is a parsed bcrypt hash, with the step before it.
type bcryptHash struct {
	key     []byte // of HMAC-SHA-256; nil: bcrypt sees the password itself
	plain   string // $2a$12$…, what x/crypto understands
	cost    int
	foreign bool // verified, but not a format that we make
}

func (h bcryptHash) params() Params {
	if h.foreign {
		return Params{}
	}
	return Params{cost: h.cost}
}

func (h bcryptHash) verify(password []byte) bool {
	if h.key != nil {
		password = keyed(h.key, password)
	}
	// A password that would be cut is refused, but after the same work: the time must not say whose hash was imported.
	seen := password[:min(len(password), bcryptMax)]
	match := bcrypt.CompareHashAndPassword([]byte(h.plain), seen) == nil
	return match && len(seen) == len(password)
}

// keyed makes 44 bytes of text out of any password: bcrypt sees all of it, and no zero byte.
func keyed(key, password []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(password)
	return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
}

func (p Params) hashBcrypt(password []byte) (string, error) {
	key := random(saltLength)
	plain, err := bcrypt.GenerateFromPassword(keyed(key, password), p.cost)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return p.encodeKeyed(key, string(plain[len("$2a$12$"):])), nil
}

func (p Params) encodeKeyed(key []byte, body string) string {
	return fmt.Sprintf("$bcrypt-hmac-sha256$v=1,r=%d$%s$%s", p.cost, base64.RawStdEncoding.EncodeToString(key), body)
}

// dummyBcrypt makes up a salt and a digest. Their last characters are ones that hold no stray bits.
func (p Params) dummyBcrypt() string {
	body := random(bcryptSalt + bcryptDigest)
	for i := range body {
		body[i] = bcryptAlphabet[body[i]%64]
	}
	body[bcryptSalt-1] = '.'
	body[bcryptSalt+bcryptDigest-1] = '.'
	return p.encodeKeyed(random(saltLength), string(body))
}

// parseKeyed reads our own format's fields: "v=1,r=12", key, salt and digest.
func parseKeyed(fields []string) (hash, error) {
	if len(fields) != 3 || len(fields[2]) != bcryptSalt+bcryptDigest {
		return nil, ErrFormat
	}
	key, err := decode(fields[1], saltLength, saltLength)
	if err != nil {
		return nil, err
	}
	rounds, found := strings.CutPrefix(fields[0], "v=1,")
	if !found {
		return nil, ErrFormat
	}
	return newBcrypt(bcryptHash{key: key}, rounds, fields[2])
}

// parsePasslib reads passlib's bcrypt_sha256, version 2: HMAC's key is the text of bcrypt's salt.
func parsePasslib(fields []string) (hash, error) {
	if len(fields) != 3 || len(fields[1]) != bcryptSalt {
		return nil, ErrFormat
	}
	rounds, found := strings.CutPrefix(fields[0], "v=2,t=2b,")
	if !found {
		return nil, ErrFormat
	}
	return newBcrypt(bcryptHash{key: []byte(fields[1]), foreign: true}, rounds, fields[1]+fields[2])
}

// parsePlain reads the fields of $2b$12$…, whose cost has two digits.
func parsePlain(fields []string) (hash, error) {
	if len(fields) != 3 || len(fields[1]) != 2 {
		return nil, ErrFormat
	}
	return newBcrypt(bcryptHash{foreign: true}, "r="+strings.TrimPrefix(fields[1], "0"), fields[2])
}

func newBcrypt(h bcryptHash, rounds, body string) (hash, error) {
	least := minCost
	if h.foreign {
		least = importCost
	}
	cost, err := number(rounds, "r", least, maxCost)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if len(body) != bcryptSalt+bcryptDigest || strings.Trim(body, bcryptAlphabet) != "" {
		return nil, ErrFormat
	}
	h.cost, h.plain = cost, fmt.Sprintf("$2a$%02d$%s", cost, body)
	return h, nil
}
