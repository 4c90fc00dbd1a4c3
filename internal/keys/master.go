// Package keys owns the secrets that everything else hangs on: the master keys, what is derived from them or sealed under
// them, and the making and rotation of signing keys.
//
// It does not decide who may use a key, does not sign tokens (package token does) and does not write the revocation log.
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

const (
	keyIDLabel  = "ostiary master key id v1"
	sealPurpose = "ostiary seal v1"
)

// KeyID names a master key without telling anything about it: the first 4 bytes of SHA-256 over a label and the key.
type KeyID [4]byte

// String returns it in hex.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// Master is the ring of master keys. The first is current: it seals and signs; the others only open and recognise what
// was made under them. It is immutable, cheap to copy and safe for concurrent use. Printed, logged or marshalled it shows
// key IDs only.
//
// The zero Master holds no key. It opens nothing, and to seal or sign with it is a programming error that panics: there
// is no key that would be right.
type Master struct {
	keys []*masterKey
}

// masterKey is one key with what was derived from it.
type masterKey struct {
	id      KeyID
	secret  [32]byte
	aead    cipher.AEAD
	derived sync.Map // purpose to [32]byte
}

// NewMaster makes one random key.
func NewMaster() (Master, error) {
	var secret [32]byte
	rand.Read(secret[:])
	k, err := newMasterKey(secret)
	if err != nil {
		return Master{}, err
	}
	return Master{keys: []*masterKey{k}}, nil
}

func newMasterKey(secret [32]byte) (*masterKey, error) {
	sum := sha256.Sum256(append([]byte(keyIDLabel), secret[:]...))
	k := &masterKey{id: KeyID(sum[:4]), secret: secret}
	sealing, err := k.derive(sealPurpose)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing[:])
	if err != nil {
		return nil, fmt.Errorf("make sealing key: %w", err)
	}
	if k.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("make sealing key: %w", err)
	}
	return k, nil
}

// derive is HKDF-SHA-256 (RFC 5869) without salt: the master key is uniform.
func (k *masterKey) derive(purpose string) ([32]byte, error) {
	if cached, ok := k.derived.Load(purpose); ok {
		return cached.([32]byte), nil
	}
	out, err := hkdf.Key(sha256.New, k.secret[:], nil, purpose, 32)
	if err != nil {
		return [32]byte{}, fmt.Errorf("derive key: %w", err)
	}
	k.derived.Store(purpose, [32]byte(out))
	return [32]byte(out), nil
}

// IsZero says that m holds no key.
func (m Master) IsZero() bool { return len(m.keys) == 0 }

// ID returns the ID of the current key.
func (m Master) ID() KeyID { return m.keys[0].id }

// IDs returns the IDs of all keys, the current one first.
func (m Master) IDs() []KeyID {
	ids := make([]KeyID, len(m.keys))
	for i, k := range m.keys {
		ids[i] = k.id
	}
	return ids
}

func (m Master) find(id KeyID) (*masterKey, bool) {
	for _, k := range m.keys {
		if k.id == id {
			return k, true
		}
	}
	return nil, false
}

// Derive returns the key for a purpose under one master key; ok is false when there is no such master key. Results are
// remembered, so a purpose is a constant of the program, never a value from outside.
func (m Master) Derive(id KeyID, purpose string) (key [32]byte, ok bool) {
	k, ok := m.find(id)
	if !ok {
		return key, false
	}
	key, err := k.derive(purpose)
	return key, err == nil
}

// MAC is HMAC-SHA-256 under the key derived for purpose from the current master key. Compare with hmac.Equal.
func (m Master) MAC(purpose string, data []byte) [32]byte { return m.keys[0].mac(purpose, data) }

// MACs is MAC under every master key, the current one first: what was stored before a rotation is looked up by the others.
func (m Master) MACs(purpose string, data []byte) [][32]byte {
	out := make([][32]byte, len(m.keys))
	for i, k := range m.keys {
		out[i] = k.mac(purpose, data)
	}
	return out
}

func (k *masterKey) mac(purpose string, data []byte) [32]byte {
	key, err := k.derive(purpose)
	if err != nil {
		panic(err) // 32 bytes are never too many for HKDF-SHA-256, and a MAC without a key would be a forgery
	}
	h := hmac.New(sha256.New, key[:])
	h.Write(data)
	return [32]byte(h.Sum(nil))
}

// Format prints the key IDs, whatever the verb.
func (m Master) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// String shows the key IDs.
func (m Master) String() string { return fmt.Sprintf("keys.Master%v", m.IDs()) }

// GoString shows the key IDs.
func (m Master) GoString() string { return m.String() }

// LogValue shows the key IDs.
func (m Master) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalJSON always fails: a master key has no place in a document. Text is the form that is kept.
func (m Master) MarshalJSON() ([]byte, error) { return nil, errors.New("marshal master key: refused") }
