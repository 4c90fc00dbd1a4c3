package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/token"
)

// rfc7638 is the key of RFC 7638 §3.1.
const rfc7638 = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`

func TestRFC7638_Thumbprint(t *testing.T) {
	t.Parallel()
	keys, err := token.ParseJWKS([]byte(`{"keys":[` + rfc7638 + `]}`))
	must(t, err)
	got, err := token.Thumbprint(keys[0].Public)
	must(t, err)
	if want := "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; got != want || keys[0].ID != "2011-04-29" {
		t.Errorf("kid %s, thumbprint %s, want %s", keys[0].ID, got, want)
	}
	k := generate(t, token.ES256)
	if id, err := token.Thumbprint(k.Public); err != nil || id != k.ID {
		t.Errorf("the kid is not the thumbprint: %v", err)
	}
	for name, other := range map[string]any{"private": k.Private, "secret": []byte("secret"), "nothing": nil} {
		if _, err := token.Thumbprint(other); err == nil {
			t.Errorf("%s: has a thumbprint", name)
		}
	}
}

func jwk(t testing.TB, key any, kid, alg, use string) string {
	t.Helper()
	b, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: alg, Use: use})
	must(t, err)
	return string(b)
}

func TestParseJWKS(t *testing.T) {
	t.Parallel()
	es, ed := generate(t, token.ES256), generate(t, token.EdDSA)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	anonymous := strings.Replace(rfc7638, `,"kid":"2011-04-29"`, "", 1)
	noAlg := strings.Replace(rfc7638, `"alg":"RS256",`, "", 1)
	for _, test := range []struct {
		name, keys string
		want       []token.Alg
	}{
		{"none", ``, nil},
		{"three kinds", jwk(t, es.Public, "a", "ES256", "sig") + "," + jwk(t, ed.Public, "b", "EdDSA", "sig") + "," + rfc7638, []token.Alg{token.ES256, token.EdDSA, token.RS256}},
		{"alg by type", jwk(t, es.Public, "a", "", "") + "," + jwk(t, ed.Public, "b", "", "") + "," + noAlg, []token.Alg{token.ES256, token.EdDSA, token.RS256}},
		{"PS256", strings.Replace(rfc7638, "RS256", "PS256", 1), []token.Alg{token.PS256}},
		{"for encryption", jwk(t, es.Public, "a", "", "enc"), nil},
		{"another algorithm", strings.Replace(rfc7638, "RS256", "RSA-OAEP", 1), nil},
		{"no kid", anonymous, nil},
		{"P-384", jwk(t, p384.Public(), "a", "ES384", "sig"), nil},
		{"unknown type", `{"kty":"AKP","alg":"ML-DSA-44","kid":"x","pub":"AA"}`, nil},
		{"Ed448", `{"kty":"OKP","crv":"Ed448","kid":"x","x":"AA"}`, nil},
		{"unknown members", `{"nbf":1,` + rfc7638[1:], []token.Alg{token.RS256}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			keys, err := token.ParseJWKS([]byte(`{"other":1,"keys":[` + test.keys + `]}`))
			must(t, err)
			var got []token.Alg
			for _, k := range keys {
				got = append(got, k.Alg)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			must(t, token.NewRing().Set(keys))
		})
	}
}

func TestParseJWKSRefuses(t *testing.T) {
	t.Parallel()
	es := generate(t, token.ES256)
	public := jwk(t, es.Public, "a", "ES256", "sig")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	many := strings.Repeat(`{"kty":"x"},`, 256) + `{"kty":"x"}`
	set := func(keys string) string { return `{"keys":[` + keys + `]}` }
	tests := map[string]string{
		"empty":                  "",
		"null":                   "null",
		"array":                  "[]",
		"no keys":                "{}",
		"keys null":              `{"keys":null}`,
		"keys an object":         `{"keys":{}}`,
		"key null":               set("null"),
		"key a string":           set(`"x"`),
		"trailing data":          set(public) + "x",
		"duplicate keys":         `{"keys":[],"keys":[]}`,
		"duplicate member":       set(`{"kid":"b",` + public[1:]),
		"two with one kid":       set(public + "," + public),
		"private":                set(jwk(t, es.Private, "a", "ES256", "sig")),
		"private of another use": set(jwk(t, es.Private, "a", "ES256", "enc")),
		"d of an unknown type":   set(`{"kty":"new","kid":"a","d":"AA"}`),
		"d null":                 set(`{"d":null,` + public[1:]),
		"secret":                 set(jwk(t, []byte(strings.Repeat("k", 32)), "a", "HS256", "sig")),
		"oct without k":          set(`{"kty":"oct","kid":"a"}`),
		"RSA 1024":               set(jwk(t, small.Public(), "a", "RS256", "sig")),
		"exponent 1":             set(strings.Replace(rfc7638, "AQAB", "AQ", 1)),
		"exponent even":          set(strings.Replace(rfc7638, "AQAB", "AQAA", 1)),
		"not on the curve":       set(`{"kty":"EC","crv":"P-256","kid":"a","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`),
		"Ed25519 short":          set(`{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AAAA"}`),
		"kid a number":           set(`{"kty":"RSA","kid":1}`),
		"257 keys":               set(many),
		"huge":                   set(`{"kty":"x","y":"` + strings.Repeat("A", 256<<10) + `"}`),
		"not UTF-8":              set("{\"kty\":\"\xff\"}"),
	}
	for name, doc := range tests {
		if keys, err := token.ParseJWKS([]byte(doc)); err == nil || keys != nil {
			t.Errorf("%s: %v", name, fmt.Sprint(keys))
		}
	}
}
