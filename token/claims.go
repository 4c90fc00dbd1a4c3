package token

import (
	"encoding/json"
	"time"
)

// Claims are those of an access token (RFC 9068 §2.2) and ours. Zero values are left out of the JSON.
//
// A struct that embeds Claims would inherit MarshalJSON and lose its own fields: other payloads are types of their own.
type Claims struct {
	Issuer    string    // iss
	Subject   string    // sub
	Audience  []string  // aud: a string when there is one, else an array
	Expires   time.Time // exp, whole seconds
	IssuedAt  time.Time // iat
	NotBefore time.Time // nbf
	AuthTime  time.Time // auth_time: the last proof of the person
	ID        string    // jti
	ClientID  string    // client_id
	Scope     string    // scope, separated by spaces
	SID       string    // sid: the session, as this client may know it (R10)
	GID       string    // gid: the handle of the grant (R10)
	ACR       string    // acr: "aal1" or "aal2"
	AMR       []string  // amr (RFC 8176)
	Epoch     int64     // ver: the person's epoch (R11)

	Roles       []string          // roles
	Permissions []string          // permissions
	CNF         map[string]string // cnf: "jkt" (RFC 9449 §6.1) or "x5t#S256" (RFC 8705 §3.1)

	KeyID string `json:"-"` // kid of the verified token's header; not a claim
}

// MarshalJSON writes the claims under their registered names.
func (c Claims) MarshalJSON() ([]byte, error) { return json.Marshal(c.wire()) }

// UnmarshalJSON reads claims as Verify does: names are case-sensitive and may appear once. Unknown ones are skipped.
func (c *Claims) UnmarshalJSON(b []byte) error {
	read, err := parseClaims(b)
	if err != nil {
		return err
	}
	*c = *read
	return nil
}
