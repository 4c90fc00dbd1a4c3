package token_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/token"
)

func TestSetRefuses(t *testing.T) {
	t.Parallel()
	es, ed, hs := generate(t, token.ES256), generate(t, token.EdDSA), generate(t, token.HS256)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	with := func(k token.Key, change func(*token.Key)) token.Key {
		change(&k)
		return k
	}
	for name, keys := range map[string][]token.Key{
		"no ID":               {with(es, func(k *token.Key) { k.ID = "" })},
		"huge ID":             {with(es, func(k *token.Key) { k.ID = strings.Repeat("x", 257) })},
		"the same ID twice":   {es, with(ed, func(k *token.Key) { k.ID = es.ID })},
		"no algorithm":        {with(es, func(k *token.Key) { k.Alg = "" })},
		"alg none":            {with(es, func(k *token.Key) { k.Alg = "none" })},
		"EC key as EdDSA":     {with(es, func(k *token.Key) { k.Alg = token.EdDSA })},
		"EC key as HS256":     {with(es, func(k *token.Key) { k.Alg = token.HS256 })},
		"Ed key as ES256":     {with(ed, func(k *token.Key) { k.Alg = token.ES256 })},
		"secret as RS256":     {with(hs, func(k *token.Key) { k.Alg = token.RS256 })},
		"secret and pair":     {with(es, func(k *token.Key) { k.Secret = hs.Secret })},
		"P-384":               {{ID: "x", Alg: token.ES256, Private: p384, Public: p384.Public()}},
		"private of another":  {with(es, func(k *token.Key) { k.Private = generate(t, token.ES256).Private })},
		"no public":           {with(es, func(k *token.Key) { k.Public = nil })},
		"nil pointer":         {with(es, func(k *token.Key) { k.Public = (*ecdsa.PublicKey)(nil) })},
		"R41 HS256 248 bits":  {with(hs, func(k *token.Key) { k.Secret = k.Secret[:31] })},
		"R41 HS256 no secret": {with(hs, func(k *token.Key) { k.Secret = nil })},
		"RSA 1024":            {{ID: "x", Alg: token.RS256, Private: small, Public: small.Public()}},
	} {
		r := ringOf(t, es)
		if err := r.Set(keys); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := r.Verify(sign(t, r, token.ES256, claims()), expect(token.ES256), now); err != nil {
			t.Errorf("%s: the ring has changed: %v", name, err)
		}
	}
}

func TestEmptyRing(t *testing.T) {
	t.Parallel()
	r := token.NewRing()
	if _, err := r.Sign("at+jwt", claims(), token.ES256, now); !errors.Is(err, token.ErrKey) {
		t.Errorf("sign: %v", err)
	}
	raw := sign(t, ringOf(t, generate(t, token.ES256)), token.ES256, claims())
	if _, err := r.Verify(raw, expect(token.ES256), now); !errors.Is(err, token.ErrKey) {
		t.Errorf("verify: %v", err)
	}
	if got := string(r.JWKS(now)); got != `{"keys":[]}` {
		t.Errorf("key set %s", got)
	}
}

// TestLifeOfKeys walks two keys through publishing, signing, retiring and removal.
func TestLifeOfKeys(t *testing.T) {
	t.Parallel()
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	a, b, secret := generate(t, token.ES256), generate(t, token.ES256), generate(t, token.HS256)
	a.Sign, a.Retire, a.Remove = at(0), at(10), at(12)
	b.Publish, b.Sign = at(8), at(10)
	r := ringOf(t, a, b, secret)
	names := map[string]string{a.ID: "a", b.ID: "b"}
	for _, step := range []struct {
		at                time.Time
		signs, in, accept string
	}{
		{at(0).Add(-1), "", "a", "ab"},
		{at(0), "a", "a", "ab"},
		{at(8).Add(-1), "a", "a", "ab"},
		{at(8), "a", "ba", "ab"},
		{at(10).Add(-1), "a", "ba", "ab"},
		{at(10), "b", "ba", "ab"},
		{at(12).Add(-1), "b", "ba", "ab"},
		{at(12), "b", "b", "b"},
		{at(9), "a", "ba", "ab"}, // and back: the remembered document has to go
	} {
		if got := signer(t, r, names, step.at); got != step.signs {
			t.Errorf("%s: %q signs", step.at, got)
		}
		keys, err := token.ParseJWKS(r.JWKS(step.at))
		must(t, err)
		in := ""
		for _, k := range keys {
			in += names[k.ID]
		}
		accept := ""
		for _, k := range []token.Key{a, b} {
			raw := forge(t, k, header(k, ""), fmt.Sprintf(`{"iss":%q,"aud":%q,"iat":%d,"exp":%d}`, issuer, audience, step.at.Unix(), step.at.Unix()+60))
			if _, err := r.Verify(raw, expect(token.ES256), step.at); err == nil {
				accept += names[k.ID]
			}
		}
		if in != step.in || accept != step.accept {
			t.Errorf("%s: published %q, accepted %q", step.at, in, accept)
		}
		if bytes.Contains(r.JWKS(step.at), []byte(secret.ID)) {
			t.Error("R41: an HS256 key is published")
		}
	}
}

// signer returns the name of the key that signs at a moment.
func signer(t *testing.T, r *token.Ring, names map[string]string, at time.Time) string {
	t.Helper()
	raw, err := r.Sign("at+jwt", claims(), token.ES256, at)
	if errors.Is(err, token.ErrKey) {
		return ""
	}
	must(t, err)
	var h struct{ Kid string }
	first, _, _ := parts(raw)
	must(t, json.Unmarshal([]byte(decode(t, first)), &h))
	return names[h.Kid]
}

func TestJWKSIsMadeOnce(t *testing.T) {
	t.Parallel()
	r := ringOf(t, generate(t, token.ES256), generate(t, token.EdDSA), generate(t, token.RS256))
	first := r.JWKS(now)
	if &first[0] != &r.JWKS(now.Add(time.Hour))[0] {
		t.Error("the document was made twice")
	}
	var doc struct{ Keys []map[string]string }
	must(t, json.Unmarshal(first, &doc))
	for _, k := range doc.Keys {
		if k["use"] != "sig" || k["kid"] == "" || k["alg"] == "" || k["kty"] == "" {
			t.Errorf("published %v", k)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, ok := k[private]; ok {
				t.Errorf("%s is published", private)
			}
		}
	}
	must(t, r.Set(nil))
	if got := string(r.JWKS(now)); got != `{"keys":[]}` {
		t.Errorf("after Set: %s", got)
	}
}

func TestRingIsConcurrent(t *testing.T) {
	t.Parallel()
	a, b := generate(t, token.EdDSA), generate(t, token.EdDSA)
	r := ringOf(t, a, b)
	raw := sign(t, r, token.EdDSA, claims())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 50 {
				if err := r.Set([]token.Key{a, b}); err != nil {
					t.Error(err)
				}
				if _, err := r.Verify(raw, expect(token.EdDSA), now); err != nil {
					t.Error(err)
				}
				r.JWKS(now.Add(time.Duration(i) * time.Hour))
			}
		})
	}
	wg.Wait()
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	r := ringOf(t, generate(t, token.EdDSA))
	for name, payload := range map[string]any{
		"nil": nil, "string": "x", "array": []int{1}, "channel": make(chan int),
		"too large": map[string]string{"x": strings.Repeat("x", token.MaxSize)},
	} {
		if _, err := r.SignJSON("JWT", payload, token.EdDSA, now); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	if _, err := r.Sign("", claims(), token.EdDSA, now); !errors.Is(err, token.ErrType) {
		t.Errorf("no type: %v", err)
	}
	if _, err := token.Generate("none"); !errors.Is(err, token.ErrAlgorithm) {
		t.Errorf("generate: %v", err)
	}
}

func TestClaimsJSON(t *testing.T) {
	t.Parallel()
	all := token.Claims{
		Issuer: "i", Subject: "s", Audience: []string{"a"}, Expires: time.Unix(5, 999).UTC(), IssuedAt: time.Unix(1, 0).UTC(),
		NotBefore: time.Unix(2, 0).UTC(), AuthTime: time.Unix(3, 0).UTC(), ID: "j", ClientID: "c", Scope: "x y", SID: "sid",
		GID: "gid", ACR: "aal1", AMR: []string{"pwd"}, Epoch: 4, Roles: []string{"r"}, Permissions: []string{"p"},
		CNF: map[string]string{"jkt": "t"}, KeyID: "never",
	}
	const want = `{"iss":"i","sub":"s","aud":"a","exp":5,"iat":1,"nbf":2,"jti":"j","client_id":"c","scope":"x y","sid":"sid",` +
		`"gid":"gid","auth_time":3,"acr":"aal1","amr":["pwd"],"ver":4,"roles":["r"],"permissions":["p"],"cnf":{"jkt":"t"}}`
	for _, test := range []struct {
		name string
		c    token.Claims
		want string
	}{
		{"all", all, want},
		{"none", token.Claims{}, `{}`},
		{"two audiences", token.Claims{Audience: []string{"a", "b"}}, `{"aud":["a","b"]}`},
	} {
		got, err := json.Marshal(test.c)
		must(t, err)
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	var back token.Claims
	must(t, json.Unmarshal([]byte(want), &back))
	all.KeyID, all.Expires = "", time.Unix(5, 0).UTC()
	if diff := cmp.Diff(all, back); diff != "" {
		t.Error(diff)
	}
	if err := json.Unmarshal([]byte(`{"sub":"a","sub":"b"}`), &back); !errors.Is(err, token.ErrMalformed) {
		t.Errorf("duplicate member: %v", err)
	}
}

func TestKeyShowsNothing(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgs() {
		k := generate(t, alg)
		der, err := k.MarshalPrivate()
		must(t, err)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("k", "key", k, "in", struct{ K token.Key }{k})
		shown := []string{log.String()}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			shown = append(shown, fmt.Sprintf(verb, k), fmt.Sprintf(verb, &k), fmt.Sprintf(verb, []token.Key{k}))
		}
		for _, s := range shown {
			tail := der[len(der)-16:]
			for _, form := range []string{fmt.Sprintf("%x", tail), strings.Trim(fmt.Sprint(tail), "[]"), base64.StdEncoding.EncodeToString(der[:15])} {
				if strings.Contains(s, form) || len(s) > 400 {
					t.Errorf("%s: shown: %.200s", alg, s)
				}
			}
		}
	}
}
