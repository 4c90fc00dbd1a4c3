package token_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/ostiary/ostiary/token"
)

// FuzzVerify checks that nothing but what the ring signed is ever accepted, and that no input is a panic.
func FuzzVerify(f *testing.F) {
	k := generate(f, token.EdDSA)
	r := ringOf(f, k, generate(f, token.HS256))
	raw := sign(f, r, token.EdDSA, claims())
	f.Add(raw)
	f.Add(forge(f, k, header(k, `,"crit":["b64"],"b64":false`), "{}"))
	f.Add(b64(`{"alg":"none"}`) + "." + b64(payload(f)) + ".")
	f.Add("..")
	f.Fuzz(func(t *testing.T, in string) {
		c, err := r.Verify(in, expect(allAlgs()...), now)
		if err == nil && in != raw {
			t.Fatalf("accepted %v", c)
		}
	})
}

// FuzzClaims signs any payload, so that the fuzzer gets past the signature.
func FuzzClaims(f *testing.F) {
	k := generate(f, token.EdDSA)
	r := ringOf(f, k)
	f.Add([]byte(payload(f)))
	f.Add([]byte(`{"iss":"https://id.example","aud":["https://api.example"],"exp":1772366401.5,"iat":1772366400}`))
	f.Add([]byte(`{"exp":1e30,"aud":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := r.Verify(forge(t, k, header(k, ""), string(body)), expect(token.EdDSA), now)
		if err != nil {
			return
		}
		var all map[string]any
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		if all["iss"] != issuer || c.Expires.Sub(c.IssuedAt) > 24*time.Hour || !now.Before(c.Expires) {
			t.Fatalf("accepted %s", body)
		}
	})
}

func FuzzParseJWKS(f *testing.F) {
	f.Add(ringOf(f, generate(f, token.ES256), generate(f, token.EdDSA)).JWKS(now))
	f.Add([]byte(`{"keys":[` + rfc7638 + `]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA","kid":"x"}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		keys, err := token.ParseJWKS(doc)
		if err != nil {
			return
		}
		r := token.NewRing()
		if err := r.Set(keys); err != nil {
			t.Fatalf("the ring refuses what was parsed: %v", err)
		}
		again, err := token.ParseJWKS(r.JWKS(now))
		if err != nil || len(again) != len(keys) {
			t.Fatalf("%d of %d keys come back: %v", len(again), len(keys), err)
		}
		if bytes.Contains(r.JWKS(now), []byte(`"d":`)) {
			t.Fatal("a private key was published")
		}
	})
}
