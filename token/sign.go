package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Sign makes a compact JWS over the claims with the newest key of alg that signs at now, with alg, kid and typ in the
// header. typ is "at+jwt" for access tokens (RFC 9068 §2.1). ErrKey: no key of alg signs now.
func (r *Ring) Sign(typ string, c Claims, alg Alg, now time.Time) (string, error) {
	return r.SignJSON(typ, c.wire(), alg, now)
}

// SignJSON is Sign for any payload that marshals to a JSON object: ID tokens, logout tokens, feed entries.
func (r *Ring) SignJSON(typ string, payload any, alg Alg, now time.Time) (string, error) {
	if typ == "" {
		return "", fmt.Errorf("sign token: %w: none", ErrType)
	}
	key, ok := r.set.Load().signing(alg, now)
	if !ok {
		return "", fmt.Errorf("sign token: %w: no %q key signs now", ErrKey, string(alg))
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	if !object(body) {
		return "", errors.New("sign token: the payload is not a JSON object")
	}
	raw, err := key.sign(typ, body)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	if len(raw) > MaxSize {
		return "", fmt.Errorf("sign token: %d bytes are more than the %d that a verifier reads", len(raw), MaxSize)
	}
	return raw, nil
}

func (k Key) sign(typ string, body []byte) (string, error) {
	var material any = k.Private
	if k.Alg == HS256 {
		material = k.Secret
	}
	header := new(jose.SignerOptions).WithType(jose.ContentType(typ)).WithHeader("kid", k.ID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Alg), Key: material}, header)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(body)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}
