package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Expect is what a verifier demands. With an empty Issuer, Audience, Type or Algs everything is refused (ErrExpect).
type Expect struct {
	Issuer   string
	Audience string        // must be one of aud
	Type     string        // "at+jwt"; compared without regard to case and a leading "application/"
	Algs     []Alg         // the only ones accepted
	Leeway   time.Duration // for exp, nbf and iat; 0 to 2 minutes
}

const maxLeeway = 2 * time.Minute

func (e Expect) complete() bool {
	return e.Issuer != "" && e.Audience != "" && e.Type != "" && len(e.Algs) > 0 && e.Leeway >= 0 && e.Leeway <= maxLeeway
}

// Verify returns the claims of a token that is genuine, meant for this verifier and valid at now (RFC 9068 §4, RFC 8725
// §3). The errors are those of this package, to be told apart with errors.Is; none repeats a part of the token.
func (r *Ring) Verify(raw string, want Expect, now time.Time) (*Claims, error) {
	if !want.complete() {
		return nil, ErrExpect
	}
	jws, err := parse(raw, want.Algs)
	if err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Protected
	key, ok := r.set.Load().accepted(header.KeyID, now)
	if !ok {
		return nil, ErrKey
	}
	if header.Algorithm != string(key.Alg) {
		return nil, fmt.Errorf("%w: not that of its key", ErrAlgorithm)
	}
	body, err := jws.Verify(key.verifier())
	if err != nil {
		return nil, ErrSignature
	}
	if !sameType(header.ExtraHeaders[jose.HeaderType], want.Type) {
		return nil, ErrType
	}
	claims, err := parseClaims(body)
	if err != nil {
		return nil, err
	}
	if err := claims.meet(want, now); err != nil {
		return nil, err
	}
	claims.KeyID = key.ID
	return claims, nil
}

// parse accepts one spelling of each token only, so that no two strings are the same token (caches are keyed by it).
func parse(raw string, algs []Alg) (*jose.JSONWebSignature, error) {
	if len(raw) > MaxSize || !canonical(raw) {
		return nil, ErrMalformed
	}
	jws, err := jose.ParseSignedCompact(raw, joseAlgs(algs))
	if err != nil {
		return nil, refusal(err)
	}
	if jws.Signatures[0].Protected.KeyID == "" {
		return nil, fmt.Errorf("%w: no kid", ErrKey)
	}
	return jws, checkHeader(jws.Signatures[0].Protected)
}

// refusal drops the library's text, which quotes the token.
func refusal(err error) error {
	var alg *jose.ErrUnexpectedSignatureAlgorithm
	if errors.As(err, &alg) {
		return ErrAlgorithm
	}
	return ErrMalformed
}

// checkHeader refuses what would change the meaning of the token, none of which we support (RFC 7515 §4.1.11, RFC 7797),
// and what brings or points to a key of the sender's choice (RFC 8725 §3.10). A certificate chain is never looked at.
func checkHeader(h jose.Header) error {
	if h.JSONWebKey != nil {
		return fmt.Errorf("%w: embedded key", ErrMalformed)
	}
	for _, name := range []jose.HeaderKey{"crit", "b64", "jku", "x5u"} {
		if _, ok := h.ExtraHeaders[name]; ok {
			return fmt.Errorf("%w: header %s", ErrMalformed, name)
		}
	}
	return nil
}

// canonical says whether raw is three parts of base64url as an encoder writes it: decoders skip line breaks and ignore
// the last bits (RFC 4648 §3.5).
func canonical(raw string) bool {
	if strings.Count(raw, ".") != 2 || strings.ContainsAny(raw, "\r\n") {
		return false
	}
	encoding := base64.RawURLEncoding.Strict()
	for part := range strings.SplitSeq(raw, ".") {
		if part == "" {
			return false
		}
		if _, err := encoding.DecodeString(part[len(part)/4*4:]); err != nil {
			return false
		}
	}
	return true
}

func (k Key) verifier() any {
	if k.Alg == HS256 {
		return k.Secret
	}
	return k.Public
}

// sameType compares media types as RFC 7515 §4.1.9 says.
func sameType(got any, want string) bool {
	typ, ok := got.(string)
	return ok && strings.EqualFold(shortType(typ), shortType(want))
}

func shortType(typ string) string {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		return typ[len(prefix):]
	}
	return typ
}

// meet compares the claims of a genuine token with what is expected.
func (c *Claims) meet(want Expect, now time.Time) error {
	switch {
	case c.Issuer != want.Issuer:
		return ErrIssuer
	case !slices.Contains(c.Audience, want.Audience):
		return ErrAudience
	case c.Expires.IsZero() || c.IssuedAt.IsZero():
		return fmt.Errorf("%w: no exp or no iat", ErrMalformed)
	case c.Expires.Sub(c.IssuedAt) > MaxLifetime:
		return ErrLifetime
	case c.IssuedAt.After(now.Add(want.Leeway)) || c.NotBefore.After(now.Add(want.Leeway)):
		return ErrNotYet
	case !now.Before(c.Expires.Add(want.Leeway)):
		return ErrExpired
	}
	return nil
}
