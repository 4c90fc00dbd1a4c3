package token_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/ostiary/ostiary/token"
)

func BenchmarkSign(b *testing.B) {
	for _, alg := range allAlgs() {
		b.Run(string(alg), func(b *testing.B) {
			r := ringOf(b, generate(b, alg))
			b.ReportAllocs()
			for b.Loop() {
				sign(b, r, alg, claims())
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range allAlgs() {
		b.Run(string(alg), func(b *testing.B) {
			r := ringOf(b, generate(b, alg))
			raw, want := sign(b, r, alg, claims()), expect(alg)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Verify(raw, want, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBareVerify is the floor under BenchmarkVerify/ES256.
func BenchmarkBareVerify(b *testing.B) {
	private := generate(b, token.ES256).Private.(*ecdsa.PrivateKey)
	sum := sha256.Sum256([]byte("x"))
	sig, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
	must(b, err)
	for b.Loop() {
		if !ecdsa.VerifyASN1(&private.PublicKey, sum[:], sig) {
			b.Fatal("refused")
		}
	}
}
