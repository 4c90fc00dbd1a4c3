package token

import (
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	strict "github.com/go-jose/go-jose/v4/json"
)

// The largest key set that ParseJWKS reads.
const (
	maxSetSize = 256 << 10
	maxSetKeys = 256
)

var errPrivate = errors.New("it holds a private or symmetric key")

// ParseJWKS reads the key set of an issuer for verification. It is strict: at most 256 KiB and 256 keys, no duplicate
// members, no two keys with one kid, no weak key, and a set with a private or symmetric key in it is refused as a whole.
// Keys of another kind or use, or without a kid, are skipped (RFC 7517 §5). An RSA key without "alg" counts as RS256.
func ParseJWKS(b []byte) ([]Key, error) {
	if len(b) > maxSetSize {
		return nil, fmt.Errorf("parse key set: larger than %d bytes", maxSetSize)
	}
	var doc struct {
		Keys []strict.RawMessage `json:"keys"`
	}
	if !object(b) || strict.Unmarshal(b, &doc) != nil || doc.Keys == nil {
		return nil, fmt.Errorf("parse key set: %w: not a key set", ErrMalformed)
	}
	if len(doc.Keys) > maxSetKeys {
		return nil, fmt.Errorf("parse key set: more than %d keys", maxSetKeys)
	}
	keys, seen := make([]Key, 0, len(doc.Keys)), make(map[string]bool, len(doc.Keys))
	for i, raw := range doc.Keys {
		k, usable, err := parseKey(raw)
		if err != nil {
			return nil, fmt.Errorf("parse key set: key %d: %w", i, err)
		}
		if !usable {
			continue
		}
		if seen[k.ID] {
			return nil, fmt.Errorf("parse key set: key %d: the kid %q was there before", i, k.ID)
		}
		seen[k.ID] = true
		keys = append(keys, k)
	}
	return keys, nil
}

// parseKey reads one key; usable is false when it is to be skipped.
func parseKey(raw []byte) (k Key, usable bool, err error) {
	var h jwkHead
	if !object(raw) || strict.Unmarshal(raw, &h) != nil {
		return Key{}, false, fmt.Errorf("%w: not a key", ErrMalformed)
	}
	if h.private() {
		return Key{}, false, errPrivate
	}
	alg, ok := h.alg()
	if !ok || h.ID == "" || (h.Use != "" && h.Use != "sig") {
		return Key{}, false, nil
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return Key{}, false, fmt.Errorf("%w: %s key", ErrMalformed, alg)
	}
	k = Key{ID: h.ID, Alg: alg, Public: jwk.Key}
	return k, true, k.check()
}

// jwkHead is what decides about a key before it is parsed.
type jwkHead struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	ID    string `json:"kid"`
	Alg   Alg    `json:"alg"`
	Use   string `json:"use"`

	// The private members of every key type (RFC 7518 §6, RFC 8037 §2); "k" is a whole symmetric key.
	D    strict.RawMessage `json:"d"`
	P    strict.RawMessage `json:"p"`
	Q    strict.RawMessage `json:"q"`
	DP   strict.RawMessage `json:"dp"`
	DQ   strict.RawMessage `json:"dq"`
	QI   strict.RawMessage `json:"qi"`
	Oth  strict.RawMessage `json:"oth"`
	K    strict.RawMessage `json:"k"`
	Priv strict.RawMessage `json:"priv"`
}

func (h jwkHead) private() bool {
	for _, member := range []strict.RawMessage{h.D, h.P, h.Q, h.DP, h.DQ, h.QI, h.Oth, h.K, h.Priv} {
		if member != nil {
			return true
		}
	}
	return h.Type == "oct"
}

// alg returns the one algorithm that the key is for, if it is one of ours.
func (h jwkHead) alg() (Alg, bool) {
	switch {
	case h.Type == "EC" && h.Curve == "P-256":
		return ES256, h.Alg == "" || h.Alg == ES256
	case h.Type == "OKP" && h.Curve == "Ed25519":
		return EdDSA, h.Alg == "" || h.Alg == EdDSA
	case h.Type == "RSA" && h.Alg == "":
		return RS256, true
	case h.Type == "RSA":
		return h.Alg, h.Alg == RS256 || h.Alg == PS256
	}
	return "", false
}
