package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// rsaBits is the modulus of new RSA keys. 2,048 bits are good until 2030 (NIST SP 800-57 part 1 §5.6.3) for keys that
	// live for days; 3,072 would make each signature three times as slow and half as long again.
	rsaBits    = 2048
	maxRSABits = 8192
	// secretBytes is the least and usual length of an HS256 secret (RFC 7518 §3.2).
	secretBytes = 32
)

// Key is one signing or verification key. Printed, logged or marshalled it shows its ID and algorithm only.
type Key struct {
	ID      string // kid: RFC 7638 thumbprint of the public key; random for HS256
	Alg     Alg
	Private crypto.Signer    // ed25519.PrivateKey, *ecdsa.PrivateKey, *rsa.PrivateKey; nil for verification only
	Public  crypto.PublicKey // ed25519.PublicKey, *ecdsa.PublicKey, *rsa.PublicKey; nil for HS256
	Secret  []byte           // HS256 only, at least 32 bytes; never published

	Publish time.Time // in the key set from; zero: always
	Sign    time.Time // signs from; zero: always
	Retire  time.Time // stops signing at; zero: never
	Remove  time.Time // not published and not accepted from; zero: never
}

// Generate makes a key of crypto/rand without any times: it is published, signs and is accepted until the caller says else.
func Generate(alg Alg) (Key, error) {
	switch alg {
	case HS256:
		return generateSecret(), nil
	case ES256:
		return pair(alg)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return pair(alg)(private, err)
	case RS256, PS256:
		return pair(alg)(rsa.GenerateKey(rand.Reader, rsaBits))
	}
	return Key{}, fmt.Errorf("generate key: %w: %q", ErrAlgorithm, string(alg))
}

func generateSecret() Key {
	secret, id := make([]byte, secretBytes), make([]byte, secretBytes)
	rand.Read(secret)
	rand.Read(id)
	return Key{ID: base64.RawURLEncoding.EncodeToString(id), Alg: HS256, Secret: secret}
}

// pair turns the two results of a generator or parser into a checked key.
func pair(alg Alg) func(private crypto.Signer, err error) (Key, error) {
	return func(private crypto.Signer, err error) (Key, error) {
		if err != nil {
			return Key{}, fmt.Errorf("make %s key: %w", alg, err)
		}
		id, err := Thumbprint(private.Public())
		if err != nil {
			return Key{}, err
		}
		k := Key{ID: id, Alg: alg, Private: private, Public: private.Public()}
		return k, k.check()
	}
}

// Thumbprint is the RFC 7638 SHA-256 thumbprint of a public key, in base64url: a kid, and the jkt of RFC 9449.
func Thumbprint(public crypto.PublicKey) (string, error) {
	jwk := jose.JSONWebKey{Key: public}
	if !jwk.IsPublic() {
		return "", errors.New("take thumbprint: not a public key")
	}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("take thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// MarshalPrivate returns the private key as PKCS #8 (RFC 5208), an HS256 secret as it is. The ID and times are not in it.
func (k Key) MarshalPrivate() ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	if k.Alg == HS256 {
		return append([]byte(nil), k.Secret...), nil
	}
	if k.Private == nil {
		return nil, errors.New("marshal key: it has no private part")
	}
	return x509.MarshalPKCS8PrivateKey(k.Private)
}

// ParsePrivate reads what MarshalPrivate wrote. An HS256 key comes back without an ID, because nothing in a secret names
// it: the caller sets the one that it kept.
func ParsePrivate(alg Alg, der []byte) (Key, error) {
	if alg == HS256 {
		k := Key{Alg: HS256, Secret: append([]byte(nil), der...)}
		return k, k.checkMaterial()
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return Key{}, fmt.Errorf("parse %s key: %w", alg, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return Key{}, fmt.Errorf("parse %s key: %T does not sign", alg, parsed)
	}
	return pair(alg)(private, nil)
}

// Format prints the ID and the algorithm, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "token.Key(%s %s)", k.Alg, k.ID) }

// LogValue shows the ID and the algorithm.
func (k Key) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kid", k.ID), slog.String("alg", string(k.Alg)))
}

// MarshalJSON shows the ID and the algorithm. Ring.JWKS makes the published form, MarshalPrivate the secret one.
func (k Key) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"kid": k.ID, "alg": string(k.Alg)})
}
