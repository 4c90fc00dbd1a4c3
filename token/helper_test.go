package token_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ostiary/ostiary/token"
)

const (
	issuer   = "https://id.example"
	audience = "https://api.example"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func allAlgs() []token.Alg {
	return []token.Alg{token.ES256, token.EdDSA, token.RS256, token.PS256, token.HS256}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func generate(t testing.TB, alg token.Alg) token.Key {
	t.Helper()
	k, err := token.Generate(alg)
	must(t, err)
	return k
}

func ringOf(t testing.TB, keys ...token.Key) *token.Ring {
	t.Helper()
	r := token.NewRing()
	must(t, r.Set(keys))
	return r
}

func expect(algs ...token.Alg) token.Expect {
	return token.Expect{Issuer: issuer, Audience: audience, Type: "at+jwt", Algs: algs}
}

func claims() token.Claims {
	return token.Claims{
		Issuer: issuer, Subject: "person", Audience: []string{audience}, Expires: now.Add(15 * time.Minute), IssuedAt: now,
		ID: "jti", ClientID: "ostiary", Scope: "a b", SID: "sid", GID: "gid",
	}
}

func sign(t testing.TB, r *token.Ring, alg token.Alg, c token.Claims) string {
	t.Helper()
	raw, err := r.Sign("at+jwt", c, alg, now)
	must(t, err)
	return raw
}

// payload is a good set of claims to be changed by an attack.
func payload(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(claims())
	must(t, err)
	return string(b)
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forge signs any header and payload with a genuine key, as a broken issuer would.
func forge(t testing.TB, k token.Key, header, body string) string {
	t.Helper()
	var material any = k.Private
	if k.Alg == token.HS256 {
		material = k.Secret
	}
	return forgeWith(t, k.Alg, material, header, body)
}

// forgeWith takes the signature from go-jose's opaque signer, over exactly these bytes.
func forgeWith(t testing.TB, alg token.Alg, material any, header, body string) string {
	t.Helper()
	input := b64(header) + "." + b64(body)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(t, alg, material, input))
}

// header is the usual one with more members.
func header(k token.Key, more string) string {
	return `{"alg":"` + string(k.Alg) + `","kid":"` + k.ID + `","typ":"at+jwt"` + more + `}`
}

func parts(raw string) (header, body, sig string) {
	p := strings.Split(raw, ".")
	return p[0], p[1], p[2]
}

func decode(t testing.TB, part string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	must(t, err)
	return string(b)
}

func joseAlgs(algs ...token.Alg) (out []jose.SignatureAlgorithm) {
	for _, a := range algs {
		out = append(out, jose.SignatureAlgorithm(a))
	}
	return out
}
