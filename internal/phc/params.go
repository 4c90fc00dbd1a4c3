// Package phc owns the text form of password hashes: parameters from a configuration, making a hash, verifying one, and
// saying whether one is out of date. It bounds what a stored string may ask for before any work is done.
//
// It does not own the password's normal form (the caller normalises), the number of hashes at a time (a pool does), or
// other people's formats beyond bcrypt.
//
// Formats:
//
//	$argon2id$v=19$m=65536,t=3,p=1$<salt>$<tag>        RFC 9106, as the PHC string format writes it
//	$bcrypt-hmac-sha256$v=1,r=12$<key>$<bcrypt>        ours: bcrypt over base64(HMAC-SHA-256(key, password))
//	$bcrypt-sha256$v=2,t=2b,r=12$<salt>$<digest>       passlib's, verified only
//	$2a$ $2b$ $2y$                                     plain bcrypt of imported people, verified only
//
// Ours differs from passlib's in one thing: HMAC has a random key of its own instead of bcrypt's salt, because x/crypto
// draws that salt itself and bcrypt is not a thing to write again. Nothing is cut at 72 bytes, and an unsalted SHA-256 of
// the password stolen elsewhere does not help (both as in passlib's version 2).
package phc

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The limits of parameters, in configuration and in stored strings. OWASP's weakest equivalents for Argon2id are
// m=19456,t=2 and m=7168,t=5: 35,840 KiB of memory written in all (m × t). A configuration must reach that; a stored
// string, which may be old, need not.
const (
	minMemory  = 8 // KiB, times the lanes: RFC 9106 §3.1
	maxMemory  = 1 << 20
	maxTime    = 16
	maxLanes   = 16
	minWork    = 7168 * 5 // KiB written: m × t
	minCost    = 10
	maxCost    = 16
	saltLength = 16
	tagLength  = 32
)

// bcryptMemory is what one bcrypt uses: its P-array and S-boxes.
const bcryptMemory = 4168

// Params are the parameters of new hashes. The zero value is not valid; see Default and ParseParams.
type Params struct {
	memory uint32 // KiB; 0 means bcrypt
	time   uint32
	lanes  uint8
	cost   int // of bcrypt
}

// Default returns the parameters of RFC 9106's second recommendation with one lane: Argon2id, 64 MiB, three passes.
func Default() Params { return Params{memory: 65536, time: 3, lanes: 1} }

// ParseParams reads a configuration: "argon2id:m=65536,t=3,p=1" (m in KiB; 8 to 1048576, t and p 1 to 16, m × t at least
// 35840) or "bcrypt:cost=12" (10 to 16). All parameters must be given, in this order.
func ParseParams(s string) (Params, error) {
	name, rest, _ := strings.Cut(s, ":")
	switch name {
	case "argon2id":
		p, err := parseArgon(rest)
		if err != nil {
			return Params{}, fmt.Errorf("parse password hash: %w", err)
		}
		if work := uint64(p.memory) * uint64(p.time); work < minWork {
			return Params{}, fmt.Errorf("parse password hash: m × t is %d KiB, need at least %d (for example m=19456,t=2)", work, minWork)
		}
		return p, nil
	case "bcrypt":
		cost, err := number(rest, "cost", minCost, maxCost)
		if err != nil {
			return Params{}, fmt.Errorf("parse password hash: %w", err)
		}
		return Params{cost: cost}, nil
	}
	return Params{}, errors.New(`parse password hash: want "argon2id:m=65536,t=3,p=1" or "bcrypt:cost=12"`)
}

// String returns the form that ParseParams reads.
func (p Params) String() string {
	if p.cost > 0 {
		return fmt.Sprintf("bcrypt:cost=%d", p.cost)
	}
	return "argon2id:" + p.argon()
}

// Memory returns the bytes that one hash uses while it runs.
func (p Params) Memory() int64 {
	if p.cost > 0 {
		return bcryptMemory
	}
	return int64(p.memory) << 10
}

// Hash returns the encoded hash of a password, with fresh random salt.
func (p Params) Hash(password []byte) (string, error) {
	switch {
	case p.cost > 0:
		return p.hashBcrypt(password)
	case p.memory > 0:
		return p.hashArgon(password), nil
	}
	return "", errors.New("hash password: no parameters")
}

// Dummy returns a hash with these parameters that no password matches, without working for it: verifying it costs what
// verifying a real one costs. It stands in for accounts that do not exist or have no password.
func Dummy(p Params) string {
	if p.cost > 0 {
		return p.dummyBcrypt()
	}
	return p.encode(random(saltLength), random(tagLength))
}

// Outdated says whether a hash was not made with these parameters, so that it is made again at the next sign-in.
func (p Params) Outdated(encoded string) bool {
	h, err := parse(encoded)
	return err != nil || h.params() != p
}

// number reads name=value, where value is a plain decimal without leading zeros between least and most.
func number(s, name string, least, most int) (int, error) {
	value, found := strings.CutPrefix(s, name+"=")
	if !found {
		return 0, fmt.Errorf("%s is missing", name)
	}
	n, err := strconv.Atoi(value)
	if err != nil || strconv.Itoa(n) != value {
		return 0, fmt.Errorf("%s is not a number", name)
	}
	if n < least || n > most {
		return 0, fmt.Errorf("%s=%d is outside %d to %d", name, n, least, most)
	}
	return n, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return b
}
