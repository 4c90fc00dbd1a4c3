package token

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	strict "github.com/go-jose/go-jose/v4/json" // encoding/json, but case-sensitive and without duplicate members
)

// wire is Claims as they stand in a token.
type wire struct {
	Issuer      string            `json:"iss,omitempty"`
	Subject     string            `json:"sub,omitempty"`
	Audience    audience          `json:"aud,omitempty"`
	Expires     date              `json:"exp,omitzero"`
	IssuedAt    date              `json:"iat,omitzero"`
	NotBefore   date              `json:"nbf,omitzero"`
	ID          string            `json:"jti,omitempty"`
	ClientID    string            `json:"client_id,omitempty"`
	Scope       string            `json:"scope,omitempty"`
	SID         string            `json:"sid,omitempty"`
	GID         string            `json:"gid,omitempty"`
	AuthTime    date              `json:"auth_time,omitzero"`
	ACR         string            `json:"acr,omitempty"`
	AMR         []string          `json:"amr,omitempty"`
	Epoch       int64             `json:"ver,omitempty"`
	Roles       []string          `json:"roles,omitempty"`
	Permissions []string          `json:"permissions,omitempty"`
	CNF         map[string]string `json:"cnf,omitempty"`
}

func (c Claims) wire() wire {
	return wire{
		Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, ID: c.ID, ClientID: c.ClientID, Scope: c.Scope,
		Expires: date{c.Expires}, IssuedAt: date{c.IssuedAt}, NotBefore: date{c.NotBefore}, AuthTime: date{c.AuthTime},
		SID: c.SID, GID: c.GID, ACR: c.ACR, AMR: c.AMR, Epoch: c.Epoch,
		Roles: c.Roles, Permissions: c.Permissions, CNF: c.CNF,
	}
}

func (w wire) claims() *Claims {
	return &Claims{
		Issuer: w.Issuer, Subject: w.Subject, Audience: w.Audience, ID: w.ID, ClientID: w.ClientID, Scope: w.Scope,
		Expires: w.Expires.Time, IssuedAt: w.IssuedAt.Time, NotBefore: w.NotBefore.Time, AuthTime: w.AuthTime.Time,
		SID: w.SID, GID: w.GID, ACR: w.ACR, AMR: w.AMR, Epoch: w.Epoch,
		Roles: w.Roles, Permissions: w.Permissions, CNF: w.CNF,
	}
}

// parseClaims tells nothing about the input in its error: it is not known to be ours.
func parseClaims(b []byte) (*Claims, error) {
	var w wire
	if !object(b) || strict.Unmarshal(b, &w) != nil {
		return nil, fmt.Errorf("%w: claims", ErrMalformed)
	}
	return w.claims(), nil
}

// object says whether b can be a JSON object in UTF-8: a bare "null" would leave every claim at its zero value.
func object(b []byte) bool { return len(b) > 0 && b[0] == '{' && utf8.Valid(b) }

// audience is one string or an array of them (RFC 7519 §4.1.3).
type audience []string

// MarshalJSON writes a single audience as a string.
func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// UnmarshalJSON reads both forms.
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*a = make([]string, 1)
		return strict.Unmarshal(b, &(*a)[0])
	}
	return strict.Unmarshal(b, (*[]string)(a))
}

// date is a NumericDate (RFC 7519 §2): seconds since 1970, from there to the year 9999.
type date struct{ time.Time }

const lastSecond = 253402300799 // 9999-12-31T23:59:59Z

// MarshalJSON writes whole seconds.
func (d date) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, d.Unix(), 10), nil }

// UnmarshalJSON accepts fractions of a second.
func (d *date) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || f < 0 || f > lastSecond {
		return fmt.Errorf("%w: date", ErrMalformed)
	}
	whole, fraction := math.Modf(f)
	d.Time = time.Unix(int64(whole), int64(fraction*1e9)).UTC()
	return nil
}
