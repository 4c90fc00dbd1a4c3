package token_test

import (
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/token"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgs() {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			k := generate(t, alg)
			r := ringOf(t, k)
			want := claims()
			want.NotBefore, want.AuthTime, want.ACR, want.AMR = now, now.Add(-time.Hour), "aal2", []string{"pwd", "otp"}
			want.Epoch, want.Roles, want.Permissions = 7, []string{"admin"}, []string{"todos:read", "todos:write"}
			want.CNF = map[string]string{"jkt": "thumb"}
			got, err := r.Verify(sign(t, r, alg, want), expect(alg), now)
			must(t, err)
			want.KeyID = k.ID
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAgainstLibrary holds signing and verification to go-jose's own JWT package and to the standard library.
func TestAgainstLibrary(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgs() {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			k := generate(t, alg)
			r := ringOf(t, k)
			var material any = k.Public
			if alg == token.HS256 {
				material = k.Secret
			}
			parsed, err := jwt.ParseSigned(sign(t, r, alg, claims()), joseAlgs(alg))
			must(t, err)
			var theirs jwt.Claims
			must(t, parsed.Claims(material, &theirs))
			must(t, theirs.ValidateWithLeeway(jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{audience}, Time: now}, 0))
			if h := parsed.Headers[0]; h.KeyID != k.ID || h.ExtraHeaders["typ"] != "at+jwt" {
				t.Errorf("header %+v", h)
			}
			if _, err := r.Verify(forge(t, k, header(k, ""), payload(t)), expect(alg), now); err != nil {
				t.Errorf("signed by the standard library: %v", err)
			}
		})
	}
}

func TestPrivateRoundTrip(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgs() {
		k := generate(t, alg)
		der, err := k.MarshalPrivate()
		must(t, err)
		again, err := token.ParsePrivate(alg, der)
		must(t, err)
		if alg == token.HS256 {
			if again.ID != "" {
				t.Error("a secret names itself")
			}
			again.ID = k.ID
		}
		if again.ID != k.ID {
			t.Errorf("%s: kid %s became %s", alg, k.ID, again.ID)
		}
		if _, err := ringOf(t, k).Verify(sign(t, ringOf(t, again), alg, claims()), expect(alg), now); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if _, err := token.ParsePrivate(alg, der[:len(der)/2]); err == nil {
			t.Errorf("%s: half a key was read", alg)
		}
	}
	der, err := generate(t, token.ES256).MarshalPrivate()
	must(t, err)
	if _, err := token.ParsePrivate(token.RS256, der); err == nil {
		t.Error("an EC key was read as RSA")
	}
}

func TestSignedByAnotherNode(t *testing.T) {
	t.Parallel()
	k := generate(t, token.ES256)
	public, err := token.ParseJWKS(ringOf(t, k).JWKS(now))
	must(t, err)
	verifier := ringOf(t, public...)
	if _, err := verifier.Verify(sign(t, ringOf(t, k), token.ES256, claims()), expect(token.ES256), now); err != nil {
		t.Error(err)
	}
	if _, err := verifier.Sign("at+jwt", claims(), token.ES256, now); err == nil {
		t.Error("a verifier signs")
	}
}
