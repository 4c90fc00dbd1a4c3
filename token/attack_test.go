package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ostiary/ostiary/token"
)

// attack is a token that must be refused with one error.
type attack struct {
	name string
	raw  string
	want error
}

func refuse(t *testing.T, r *token.Ring, want token.Expect, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			c, err := r.Verify(a.raw, want, now)
			if !errors.Is(err, a.want) || c != nil {
				t.Errorf("got %v and %v, want %v", c, err, a.want)
			}
			if err != nil && len(a.raw) > 20 && strings.Contains(err.Error(), a.raw[:20]) {
				t.Error("the error repeats the token")
			}
		})
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	k := generate(t, token.ES256)
	r := ringOf(t, k)
	good := sign(t, r, token.ES256, claims())
	h, b, s := parts(good)
	pad := strings.Repeat("A", token.MaxSize)
	jws, err := jose.ParseSignedCompact(good, joseAlgs(token.ES256))
	must(t, err)
	refuse(t, r, expect(token.ES256), []attack{
		{"empty", "", token.ErrMalformed},
		{"dots only", "..", token.ErrMalformed},
		{"one part", h, token.ErrMalformed},
		{"two parts", h + "." + b, token.ErrMalformed},
		{"four parts", good + ".", token.ErrMalformed},
		{"five parts, as JWE", good + "." + b + "." + s, token.ErrMalformed},
		{"no signature", h + "." + b + ".", token.ErrMalformed},
		{"no payload (detached)", h + ".." + s, token.ErrMalformed},
		{"JSON serialization", jws.FullSerialize(), token.ErrMalformed},
		{"nested token", forge(t, k, header(k, `,"cty":"JWT"`), good), token.ErrMalformed},
		{"leading space", " " + good, token.ErrMalformed},
		{"trailing line break", good + "\n", token.ErrMalformed},
		{"line break inside", h + ".\r\n" + b + "." + s, token.ErrMalformed},
		{"padding", h + "." + b + "." + s + "==", token.ErrMalformed},
		{"standard base64", h + "." + b + "." + s[:len(s)-2] + "+/", token.ErrMalformed},
		{"oversized payload", h + "." + pad + "." + s, token.ErrMalformed},
		{"oversized header", forge(t, k, header(k, `,"x":"`+pad+`"`), payload(t)), token.ErrMalformed},
		{"garbage header", "!!!." + b + "." + s, token.ErrMalformed},
		{"header not JSON", forge(t, k, "alg: ES256", payload(t)), token.ErrMalformed},
		{"header an array", forge(t, k, `["ES256"]`, payload(t)), token.ErrMalformed},
		{"header with trailing data", forge(t, k, header(k, "")+"{}", payload(t)), token.ErrMalformed},
		{"duplicate alg", forge(t, k, header(k, `,"alg":"ES256"`), payload(t)), token.ErrMalformed},
		{"duplicate kid, escaped", forge(t, k, header(k, `,"\u006bid":"x"`), payload(t)), token.ErrMalformed},
		{"payload not JSON", forge(t, k, header(k, ""), "hello"), token.ErrMalformed},
		{"payload null", forge(t, k, header(k, ""), "null"), token.ErrMalformed},
		{"payload an array", forge(t, k, header(k, ""), "["+payload(t)+"]"), token.ErrMalformed},
		{"payload with trailing data", forge(t, k, header(k, ""), payload(t)+payload(t)), token.ErrMalformed},
		{"payload not UTF-8", forge(t, k, header(k, ""), strings.Replace(payload(t), "person", "\xff", 1)), token.ErrMalformed},
		{"duplicate sub", forge(t, k, header(k, ""), strings.Replace(payload(t), "{", `{"sub":"root",`, 1)), token.ErrMalformed},
		{"duplicate unknown claim", forge(t, k, header(k, ""), strings.Replace(payload(t), "{", `{"x":1,"x":2,`, 1)), token.ErrMalformed},
		{"deeply nested claim", forge(t, k, header(k, ""), strings.Replace(payload(t), "{", `{"x":`+strings.Repeat("[", 9000)+",", 1)), token.ErrMalformed},
	})
}

func TestRFC8725_Algorithms(t *testing.T) {
	t.Parallel()
	es, rs, ps, hs := generate(t, token.ES256), generate(t, token.RS256), generate(t, token.PS256), generate(t, token.HS256)
	r := ringOf(t, es, rs, ps, hs)
	unsigned := b64(`{"alg":"none","kid":"`+es.ID+`","typ":"at+jwt"}`) + "." + b64(payload(t)) + "."
	attacks := []attack{
		{"none", unsigned, token.ErrMalformed},
		{"none with a signature", unsigned + "AAAA", token.ErrAlgorithm},
		{"None", forge(t, es, `{"alg":"None","kid":"`+es.ID+`"}`, payload(t)), token.ErrAlgorithm},
		{"alg empty", forge(t, es, `{"alg":"","kid":"`+es.ID+`"}`, payload(t)), token.ErrAlgorithm},
		{"alg missing", forge(t, es, `{"kid":"`+es.ID+`"}`, payload(t)), token.ErrAlgorithm},
		{"alg of another case", forge(t, es, `{"alg":"es256","kid":"`+es.ID+`"}`, payload(t)), token.ErrAlgorithm},
		{"alg a number", forge(t, es, `{"alg":256,"kid":"`+es.ID+`"}`, payload(t)), token.ErrAlgorithm},
		{"HS512", forge(t, hs, `{"alg":"HS512","kid":"`+hs.ID+`"}`, payload(t)), token.ErrAlgorithm},
		{"RS256 key used as PS256", forgeWith(t, token.PS256, rs.Private, strings.Replace(header(rs, ""), "RS256", "PS256", 1), payload(t)), token.ErrAlgorithm},
		{"PS256 key used as RS256", forgeWith(t, token.RS256, ps.Private, strings.Replace(header(ps, ""), "PS256", "RS256", 1), payload(t)), token.ErrAlgorithm},
	}
	for _, k := range []token.Key{es, rs} {
		der, err := x509.MarshalPKIXPublicKey(k.Public)
		must(t, err)
		jwk, err := json.Marshal(jose.JSONWebKey{Key: k.Public})
		must(t, err)
		for form, secret := range map[string][]byte{
			"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "JWK": jwk, "kid": []byte(k.ID), "empty": {},
		} {
			confused := strings.Replace(header(k, ""), string(k.Alg), "HS256", 1)
			attacks = append(attacks, attack{
				fmt.Sprintf("%s public key as %s for HMAC", k.Alg, form), forgeWith(t, token.HS256, secret, confused, payload(t)), token.ErrAlgorithm,
			})
		}
	}
	refuse(t, r, expect(allAlgs()...), attacks)
	refuse(t, r, expect(token.EdDSA), []attack{{"not expected here", sign(t, r, token.ES256, claims()), token.ErrAlgorithm}})
}

func TestRFC8725_KeysFromTheSender(t *testing.T) {
	t.Parallel()
	k := generate(t, token.ES256)
	r := ringOf(t, k)
	mallory, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	jwk, err := json.Marshal(jose.JSONWebKey{Key: mallory.Public()})
	must(t, err)
	private, err := json.Marshal(jose.JSONWebKey{Key: mallory})
	must(t, err)
	evil := func(header string) string { return forgeWith(t, token.ES256, mallory, header, payload(t)) }
	ours := func(more string) string { return forge(t, k, header(k, more), payload(t)) }
	refuse(t, r, expect(token.ES256), []attack{
		{"own key", evil(header(k, "")), token.ErrSignature},
		{"embedded jwk", evil(header(k, `,"jwk":`+string(jwk))), token.ErrMalformed},
		{"embedded jwk on a genuine token", ours(`,"jwk":` + string(jwk)), token.ErrMalformed},
		{"embedded private jwk", evil(header(k, `,"jwk":`+string(private))), token.ErrMalformed},
		{"jku", evil(header(k, `,"jku":"https://evil.example/jwks"`)), token.ErrMalformed},
		{"jku on a genuine token", ours(`,"jku":"https://id.example/jwks"`), token.ErrMalformed},
		{"x5u", evil(header(k, `,"x5u":"https://evil.example/cert"`)), token.ErrMalformed},
		{"x5c that is none", evil(header(k, `,"x5c":["AAAA"]`)), token.ErrMalformed},
		{"x5c empty", evil(header(k, `,"x5c":[]`)), token.ErrSignature},
		{"crit unknown", ours(`,"crit":["exp"],"exp":1`), token.ErrMalformed},
		{"crit empty", ours(`,"crit":[]`), token.ErrMalformed},
		{"crit b64", ours(`,"crit":["b64"],"b64":true`), token.ErrMalformed},
		{"b64 false", ours(`,"b64":false`), token.ErrMalformed},
		{"kid missing", forge(t, k, `{"alg":"ES256","typ":"at+jwt"}`, payload(t)), token.ErrKey},
		{"kid empty", forge(t, k, `{"alg":"ES256","kid":"","typ":"at+jwt"}`, payload(t)), token.ErrKey},
		{"kid null", forge(t, k, `{"alg":"ES256","kid":null,"typ":"at+jwt"}`, payload(t)), token.ErrKey},
		{"kid an array", forge(t, k, `{"alg":"ES256","kid":["`+k.ID+`"],"typ":"at+jwt"}`, payload(t)), token.ErrMalformed},
		{"kid a path", forge(t, k, `{"alg":"ES256","kid":"../../dev/null","typ":"at+jwt"}`, payload(t)), token.ErrKey},
		{"kid SQL", forge(t, k, `{"alg":"ES256","kid":"' OR 1=1 --","typ":"at+jwt"}`, payload(t)), token.ErrKey},
		{"kid with a null byte", forge(t, k, `{"alg":"ES256","kid":"`+k.ID+`\u0000","typ":"at+jwt"}`, payload(t)), token.ErrKey},
	})
}

func TestMeantForAnother(t *testing.T) {
	t.Parallel()
	k := generate(t, token.ES256)
	r := ringOf(t, k)
	with := func(change func(*token.Claims)) string {
		c := claims()
		change(&c)
		return sign(t, r, token.ES256, c)
	}
	typed := func(typ string) string {
		raw, err := r.SignJSON(typ, claims(), token.ES256, now)
		must(t, err)
		return raw
	}
	body := func(old, new string) string {
		return forge(t, k, header(k, ""), strings.Replace(payload(t), old, new, 1))
	}
	aud := `"aud":"` + audience + `"`
	refuse(t, r, expect(token.ES256), []attack{
		{"an ID token", typed("JWT"), token.ErrType},
		{"a logout token", typed("logout+jwt"), token.ErrType},
		{"a longer type", typed("at+jwt2"), token.ErrType},
		{"type prefix alone", typed("application/"), token.ErrType},
		{"no type", forge(t, k, `{"alg":"ES256","kid":"`+k.ID+`"}`, payload(t)), token.ErrType},
		{"type a number", forge(t, k, `{"alg":"ES256","kid":"`+k.ID+`","typ":1}`, payload(t)), token.ErrType},
		{"other issuer", with(func(c *token.Claims) { c.Issuer = "https://evil.example" }), token.ErrIssuer},
		{"issuer with a slash", with(func(c *token.Claims) { c.Issuer += "/" }), token.ErrIssuer},
		{"issuer in capitals", with(func(c *token.Claims) { c.Issuer = strings.ToUpper(issuer) }), token.ErrIssuer},
		{"no issuer", with(func(c *token.Claims) { c.Issuer = "" }), token.ErrIssuer},
		{"Iss in another case", body(`"iss"`, `"Iss"`), token.ErrIssuer},
		{"other audience", with(func(c *token.Claims) { c.Audience = []string{"https://other.example"} }), token.ErrAudience},
		{"no audience", with(func(c *token.Claims) { c.Audience = nil }), token.ErrAudience},
		{"audience as a part", with(func(c *token.Claims) { c.Audience = []string{audience + "/v1", "x" + audience} }), token.ErrAudience},
		{"audience an object", body(aud, `"aud":{"`+audience+`":1}`), token.ErrMalformed},
		{"audience nested", body(aud, `"aud":[["`+audience+`"]]`), token.ErrMalformed},
	})
	for _, typ := range []string{"at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"} {
		want := expect(token.ES256)
		want.Type = "application/AT+jwt"
		if _, err := r.Verify(typed(typ), want, now); err != nil {
			t.Errorf("type %s: %v", typ, err)
		}
	}
	if _, err := r.Verify(body(aud, `"aud":["x","`+audience+`"]`), expect(token.ES256), now); err != nil {
		t.Errorf("audience in an array: %v", err)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	k := generate(t, token.ES256)
	r := ringOf(t, k)
	at := func(d time.Duration) string { return fmt.Sprintf("%d", now.Add(d).Unix()) }
	cases := []struct {
		name   string
		claims string
		leeway time.Duration
		want   error
	}{
		{"valid", `"iat":` + at(0) + `,"exp":` + at(time.Minute), 0, nil},
		{"fractions", `"iat":` + at(-time.Second) + `.25,"exp":` + at(0) + `.5`, 0, nil},
		{"exponent", `"iat":` + at(0) + `,"exp":1.772367e9`, 0, nil},
		{"one second left", `"iat":` + at(-time.Minute) + `,"exp":` + at(time.Second), 0, nil},
		{"expired exactly now", `"iat":` + at(-time.Minute) + `,"exp":` + at(0), 0, token.ErrExpired},
		{"expired", `"iat":` + at(-time.Hour) + `,"exp":` + at(-time.Minute), 0, token.ErrExpired},
		{"expired within leeway", `"iat":` + at(-time.Hour) + `,"exp":` + at(-29*time.Second), 30 * time.Second, nil},
		{"expired exactly with leeway", `"iat":` + at(-time.Hour) + `,"exp":` + at(-30*time.Second), 30 * time.Second, token.ErrExpired},
		{"issued in the future", `"iat":` + at(time.Second) + `,"exp":` + at(time.Minute), 0, token.ErrNotYet},
		{"issued in the future within leeway", `"iat":` + at(30*time.Second) + `,"exp":` + at(time.Minute), 30 * time.Second, nil},
		{"not yet", `"iat":` + at(0) + `,"nbf":` + at(time.Second) + `,"exp":` + at(time.Minute), 0, token.ErrNotYet},
		{"from now", `"iat":` + at(0) + `,"nbf":` + at(0) + `,"exp":` + at(time.Minute), 0, nil},
		{"R20 a whole day", `"iat":` + at(0) + `,"exp":` + at(24*time.Hour), 0, nil},
		{"R20 longer than a day", `"iat":` + at(0) + `,"exp":` + at(24*time.Hour+time.Second), 0, token.ErrLifetime},
		{"R20 iat at the beginning of time", `"iat":0,"exp":` + at(time.Minute), 0, token.ErrLifetime},
		{"no exp", `"iat":` + at(0), 0, token.ErrMalformed},
		{"no iat", `"exp":` + at(time.Minute), 0, token.ErrMalformed},
		{"exp null", `"iat":` + at(0) + `,"exp":null`, 0, token.ErrMalformed},
		{"exp a string", `"iat":` + at(0) + `,"exp":"` + at(time.Minute) + `"`, 0, token.ErrMalformed},
		{"exp negative", `"iat":` + at(0) + `,"exp":-1`, 0, token.ErrMalformed},
		{"exp overflowing", `"iat":` + at(0) + `,"exp":1e300`, 0, token.ErrMalformed},
		{"exp beyond floats", `"iat":` + at(0) + `,"exp":1e999`, 0, token.ErrMalformed},
		{"exp wrapping around", `"iat":` + at(0) + `,"exp":18446744073709551616`, 0, token.ErrMalformed},
		{"exp an array", `"iat":` + at(0) + `,"exp":[` + at(time.Minute) + `]`, 0, token.ErrMalformed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := expect(token.ES256)
			want.Leeway = c.leeway
			raw := forge(t, k, header(k, ""), `{"iss":"`+issuer+`","aud":"`+audience+`",`+c.claims+`}`)
			if _, err := r.Verify(raw, want, now); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestExpiryIsOnlyToldWhenGenuine(t *testing.T) {
	t.Parallel()
	k := generate(t, token.ES256)
	r := ringOf(t, k)
	c := claims()
	c.IssuedAt, c.Expires = now.Add(-time.Hour), now.Add(-time.Minute)
	raw := sign(t, r, token.ES256, c)
	h, b, _ := parts(raw)
	_, _, other := parts(sign(t, r, token.ES256, claims()))
	refuse(t, r, expect(token.ES256), []attack{
		{"genuine", raw, token.ErrExpired},
		{"signature of another token", h + "." + b + "." + other, token.ErrSignature},
	})
}

func TestIncompleteExpectation(t *testing.T) {
	t.Parallel()
	r := ringOf(t, generate(t, token.ES256))
	raw := sign(t, r, token.ES256, claims())
	for name, change := range map[string]func(*token.Expect){
		"all":             func(e *token.Expect) { *e = token.Expect{} },
		"issuer":          func(e *token.Expect) { e.Issuer = "" },
		"audience":        func(e *token.Expect) { e.Audience = "" },
		"type":            func(e *token.Expect) { e.Type = "" },
		"algorithms":      func(e *token.Expect) { e.Algs = nil },
		"negative leeway": func(e *token.Expect) { e.Leeway = -1 },
		"huge leeway":     func(e *token.Expect) { e.Leeway = time.Hour },
	} {
		want := expect(token.ES256)
		change(&want)
		if _, err := r.Verify(raw, want, now); !errors.Is(err, token.ErrExpect) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgs() {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			r := ringOf(t, generate(t, alg))
			raw := sign(t, r, alg, claims())
			for i := range raw {
				if _, err := r.Verify(raw[:i], expect(alg), now); err == nil {
					t.Errorf("accepted when cut after %d bytes", i)
				}
			}
			for i := 0; i < len(raw); i += 3 {
				for bit := range 8 {
					changed := []byte(raw)
					changed[i] ^= 1 << bit
					if _, err := r.Verify(string(changed), expect(alg), now); err == nil {
						t.Errorf("accepted with bit %d of byte %d flipped", bit, i)
					}
				}
			}
			last := len(raw) - 1
			for b := range 256 {
				changed := raw[:last] + string([]byte{byte(b)})
				if _, err := r.Verify(changed, expect(alg), now); err == nil && changed != raw {
					t.Errorf("accepted with another last byte %#x", b)
				}
			}
		})
	}
}
