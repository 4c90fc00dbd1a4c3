package token

import "errors"

// Why a token was refused. They are for logs and decisions; a caller who presented the token learns at most ErrExpired,
// which is only told after the signature was found right.
var (
	// ErrMalformed says that it is not a compact JWS with a JSON object of claims, or breaks a rule of form.
	ErrMalformed = errors.New("token: malformed")
	// ErrKey says that kid is missing, unknown or no longer accepted; or, from Sign, that no key signs now.
	ErrKey = errors.New("token: no such key")
	// ErrSignature says that the signature is wrong.
	ErrSignature = errors.New("token: wrong signature")
	// ErrAlgorithm says that alg is not among those expected, or is not its key's.
	ErrAlgorithm = errors.New("token: unexpected algorithm")
	// ErrType says that typ is missing or another than the one expected (RFC 8725 §3.11).
	ErrType = errors.New("token: unexpected type")
	// ErrIssuer says that iss is another.
	ErrIssuer = errors.New("token: unexpected issuer")
	// ErrAudience says that the expected audience is not in aud.
	ErrAudience = errors.New("token: unexpected audience")
	// ErrExpired says that a genuine token has expired.
	ErrExpired = errors.New("token: expired")
	// ErrNotYet says that nbf or iat lies in the future.
	ErrNotYet = errors.New("token: not valid yet")
	// ErrLifetime says that exp lies more than MaxLifetime after iat (R20).
	ErrLifetime = errors.New("token: lifetime too long")
	// ErrExpect says that the verifier's own expectation is incomplete, so everything is refused.
	ErrExpect = errors.New("token: incomplete expectation")
)
