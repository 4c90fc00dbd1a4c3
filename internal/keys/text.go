package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	maxMasterKeys = 16
	maxMasterText = 16 << 10
)

// ParseMaster reads one key of 32 bytes a line, in base64url or hex, the current one first. Blank lines and lines that
// start with # are skipped. Errors name the line and never repeat it. At most 16 keys in 16 KiB.
func ParseMaster(text []byte) (Master, error) {
	if len(text) > maxMasterText {
		return Master{}, fmt.Errorf("parse master key: larger than %d bytes", maxMasterText)
	}
	var m Master
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := m.add(line); err != nil {
			return Master{}, fmt.Errorf("parse master key: line %d: %w", number, err)
		}
	}
	if m.IsZero() {
		return Master{}, errors.New("parse master key: there is no key in it")
	}
	return m, nil
}

func (m *Master) add(line string) error {
	secret, err := decodeSecret(line)
	if err != nil {
		return err
	}
	k, err := newMasterKey(secret)
	if err != nil {
		return err
	}
	if _, twice := m.find(k.id); twice {
		return errors.New("this key was there before")
	}
	if len(m.keys) == maxMasterKeys {
		return fmt.Errorf("more than %d keys", maxMasterKeys)
	}
	m.keys = append(m.keys, k)
	return nil
}

func decodeSecret(line string) (secret [32]byte, err error) {
	var raw []byte
	if len(line) == hex.EncodedLen(len(secret)) {
		raw, err = hex.DecodeString(line)
	} else {
		raw, err = base64.RawURLEncoding.Strict().DecodeString(strings.TrimSuffix(line, "="))
	}
	if err != nil {
		return secret, errors.New("neither base64url nor hex")
	}
	if len(raw) != len(secret) {
		return secret, fmt.Errorf("a key has 32 bytes, this has %d", len(raw))
	}
	if bytes.Count(raw, raw[:1]) == len(raw) {
		return secret, errors.New("32 equal bytes are not a random key")
	}
	return [32]byte(raw), nil
}

// Text is the form that ParseMaster reads: secret, for a file of mode 0600 only.
func (m Master) Text() []byte {
	var out []byte
	for _, k := range m.keys {
		out = base64.RawURLEncoding.AppendEncode(out, k.secret[:])
		out = append(out, '\n')
	}
	return out
}
