package phc

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The lengths of a stored salt and tag, in bytes.
const (
	minSalt, maxSalt = 8, 64
	minTag, maxTag   = 16, 64
)

// argonHash is a parsed Argon2id hash.
type argonHash struct {
	Params
	salt, tag []byte
}

func (h argonHash) params() Params {
	if len(h.salt) != saltLength || len(h.tag) != tagLength {
		return Params{}
	}
	return h.Params
}

func (h argonHash) verify(password []byte) bool {
	tag := argon2.IDKey(password, h.salt, h.time, h.memory, h.lanes, uint32(len(h.tag)))
	return subtle.ConstantTimeCompare(tag, h.tag) == 1
}

func (p Params) hashArgon(password []byte) string {
	salt := random(saltLength)
	return p.encode(salt, argon2.IDKey(password, salt, p.time, p.memory, p.lanes, tagLength))
}

func (p Params) encode(salt, tag []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, p.argon(),
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(tag))
}

func (p Params) argon() string { return fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.time, p.lanes) }

// parseArgon reads "m=65536,t=3,p=1" within the limits.
func parseArgon(s string) (Params, error) {
	fields := strings.Split(s, ",")
	if len(fields) != 3 {
		return Params{}, errors.New("want m=…,t=…,p=…")
	}
	memory, err := number(fields[0], "m", minMemory, maxMemory)
	if err != nil {
		return Params{}, err
	}
	time, err := number(fields[1], "t", 1, maxTime)
	if err != nil {
		return Params{}, err
	}
	lanes, err := number(fields[2], "p", 1, maxLanes)
	if err != nil {
		return Params{}, err
	}
	if memory < minMemory*lanes {
		return Params{}, fmt.Errorf("m=%d is below 8 KiB a lane", memory)
	}
	return Params{memory: uint32(memory), time: uint32(time), lanes: uint8(lanes)}, nil
}

// parseArgonHash reads the fields v=19, parameters, salt, tag.
func parseArgonHash(fields []string) (hash, error) {
	if len(fields) != 4 || fields[0] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, ErrFormat
	}
	p, err := parseArgon(fields[1])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	salt, err := decode(fields[2], minSalt, maxSalt)
	if err != nil {
		return nil, err
	}
	tag, err := decode(fields[3], minTag, maxTag)
	if err != nil {
		return nil, err
	}
	return argonHash{p, salt, tag}, nil
}

// decode reads unpadded standard base64, one spelling only, of least to most bytes.
func decode(s string, least, most int) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") || len(b) < least || len(b) > most {
		return nil, ErrFormat
	}
	return b, nil
}
