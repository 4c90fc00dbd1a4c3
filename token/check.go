package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
)

const maxKeyID = 256

// check refuses a key that must not be in a ring. The errors name the key by its ID only.
func (k Key) check() error {
	if k.ID == "" || len(k.ID) > maxKeyID {
		return fmt.Errorf("check key: the ID has %d bytes, not 1 to %d", len(k.ID), maxKeyID)
	}
	if err := k.checkMaterial(); err != nil {
		return fmt.Errorf("check key %q: %w", k.ID, err)
	}
	return nil
}

// checkMaterial binds a key to its algorithm: the one defence against algorithm confusion that needs no luck (RFC 8725 §3.1).
func (k Key) checkMaterial() error {
	if !k.Alg.Valid() {
		return fmt.Errorf("%w: %q", ErrAlgorithm, string(k.Alg))
	}
	if k.Alg == HS256 {
		return k.checkSecret()
	}
	if k.Secret != nil {
		return fmt.Errorf("%s has no secret", k.Alg)
	}
	if err := checkPublic(k.Alg, k.Public); err != nil {
		return err
	}
	return k.checkPair()
}

func (k Key) checkSecret() error {
	if k.Public != nil || k.Private != nil {
		return errors.New("HS256 has no key pair")
	}
	if len(k.Secret) < secretBytes {
		return fmt.Errorf("an HS256 secret needs 256 bits, this has %d", 8*len(k.Secret))
	}
	return nil
}

func checkPublic(alg Alg, public crypto.PublicKey) error {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		if alg == ES256 && p != nil && p.Curve == elliptic.P256() {
			return nil
		}
	case ed25519.PublicKey:
		if alg == EdDSA && len(p) == ed25519.PublicKeySize {
			return nil
		}
	case *rsa.PublicKey:
		if (alg == RS256 || alg == PS256) && p != nil && p.N != nil {
			return checkRSA(p)
		}
	}
	return fmt.Errorf("%T is no key for %s", public, alg)
}

func checkRSA(p *rsa.PublicKey) error {
	if bits := p.N.BitLen(); bits < rsaBits || bits > maxRSABits {
		return fmt.Errorf("an RSA key needs %d to %d bits, this has %d", rsaBits, maxRSABits, bits)
	}
	if p.E < 3 || p.E%2 == 0 {
		return fmt.Errorf("the RSA exponent %d is not an odd number above 2", p.E)
	}
	return nil
}

// checkPair accepts the three private key types that sign here, if they belong to the public key.
func (k Key) checkPair() error {
	switch p := k.Private.(type) {
	case nil:
		return nil
	case *ecdsa.PrivateKey:
		if p != nil && p.PublicKey.Equal(k.Public) {
			return nil
		}
	case ed25519.PrivateKey:
		if len(p) == ed25519.PrivateKeySize && p.Public().(ed25519.PublicKey).Equal(k.Public) {
			return nil
		}
	case *rsa.PrivateKey:
		if p != nil && p.PublicKey.Equal(k.Public) {
			return nil
		}
	}
	return fmt.Errorf("the private key (%T) is not that of the public one (%T)", k.Private, k.Public)
}
