package phc

import (
	"errors"
	"strings"
)

// maxLength is the longest string that is looked at, in bytes.
const maxLength = 256

// ErrFormat says that a stored string is not a hash that this package verifies, or that it asks for more than the limits.
var ErrFormat = errors.New("phc: not an acceptable password hash")

// hash is one stored hash, its numbers checked.
type hash interface {
	params() Params // what made it; the zero Params for a format that is only verified
	verify(password []byte) bool
}

// Verify says whether a password is the one that was hashed. Everything that the string asks for is checked before any
// work. ErrFormat, never with salt or tag in its text, when it is not acceptable: that is not the person's fault.
func Verify(encoded string, password []byte) (ok bool, err error) {
	h, err := parse(encoded)
	if err != nil {
		return false, err
	}
	return h.verify(password), nil
}

func parse(encoded string) (hash, error) {
	if len(encoded) > maxLength {
		return nil, ErrFormat
	}
	fields := strings.Split(encoded, "$")
	if len(fields) < 4 || fields[0] != "" {
		return nil, ErrFormat
	}
	switch fields[1] {
	case "argon2id":
		return parseArgonHash(fields[2:])
	case "bcrypt-hmac-sha256":
		return parseKeyed(fields[2:])
	case "bcrypt-sha256":
		return parsePasslib(fields[2:])
	case "2a", "2b", "2y":
		return parsePlain(fields[1:])
	}
	return nil, ErrFormat
}
