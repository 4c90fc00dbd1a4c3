package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"github.com/ostiary/ostiary/token"
)

// signature signs with the standard library alone, so that attacks do not depend on what a JOSE library lets one write.
func signature(t testing.TB, alg token.Alg, material any, input string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(input))
	switch k := material.(type) {
	case []byte:
		h := hmac.New(sha256.New, k)
		h.Write([]byte(input))
		return h.Sum(nil)
	case ed25519.PrivateKey:
		return ed25519.Sign(k, []byte(input))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		must(t, err)
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		sign := func() ([]byte, error) { return rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:]) }
		if alg == token.PS256 {
			opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			sign = func() ([]byte, error) { return rsa.SignPSS(rand.Reader, k, crypto.SHA256, sum[:], opts) }
		}
		out, err := sign()
		must(t, err)
		return out
	}
	t.Fatalf("cannot sign with %T", material)
	return nil
}
