// Package token signs and verifies JSON Web Tokens, and holds the ring of keys that does it.
//
// It owns the JOSE rules of RFC 7515, RFC 7517, RFC 7519, RFC 8725 and RFC 9068: which algorithms exist, which header may
// appear, when a token counts. It does not decide who gets a token, does not make or keep keys over time, knows nothing of
// revocation and never fetches anything: package verify does that for resource servers.
//
// Every verification states issuer, audience, type and algorithms; leaving one out refuses every token.
package token

import (
	"time"

	"github.com/go-jose/go-jose/v4"
)

// MaxSize is the largest token in bytes that is signed or looked at.
const MaxSize = 16 << 10

// MaxLifetime is the longest time from iat to exp that a verifier accepts (R20): revocations are remembered for that long.
const MaxLifetime = 24 * time.Hour

// Alg is a signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
type Alg string

// The algorithms that exist here. HS256 is for issuers that are their only verifier: its key is never published.
const (
	ES256 Alg = "ES256"
	EdDSA Alg = "EdDSA"
	RS256 Alg = "RS256"
	PS256 Alg = "PS256"
	HS256 Alg = "HS256"
)

// Valid says whether a is one of the five.
func (a Alg) Valid() bool {
	switch a {
	case ES256, EdDSA, RS256, PS256, HS256:
		return true
	}
	return false
}

func joseAlgs(algs []Alg) []jose.SignatureAlgorithm {
	out := make([]jose.SignatureAlgorithm, len(algs))
	for i, a := range algs {
		out[i] = jose.SignatureAlgorithm(a)
	}
	return out
}
