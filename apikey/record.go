package apikey

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/authz"
)

// record is what is kept of a key, sealed, beside its hash.
type record struct {
	Name      string    `json:"n"`
	Prefix    string    `json:"p"` // the first characters of its text
	Scopes    []string  `json:"s"`
	ExpiresAt time.Time `json:"e,omitzero"`
	LastUsed  time.Time `json:"u,omitzero"`
	Suspended bool      `json:"x,omitempty"`
}

// Key is what may be shown of a key.
type Key struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix" jsonschema:"The first characters of the key."`
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at" jsonschema:"To the minute."`
	Suspended  bool       `json:"suspended" jsonschema:"It works again when its owner confirms it."`
}

// NewKey is a key that was just made: the only time that its text is shown.
type NewKey struct {
	Key
	Text string `json:"key" jsonschema:"Shown this once."`
}

func read(c ostiary.Credential) (record, error) {
	var r record
	if err := json.Unmarshal(c.Data, &r); err != nil {
		return r, fmt.Errorf("read API key %s: %w", c.ID, err)
	}
	return r, nil
}

func (r record) write() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write API key: %w", err)
	}
	return b, nil
}

func (r record) expired(now time.Time) bool { return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt) }

func show(c ostiary.Credential) (Key, error) {
	r, err := read(c)
	return Key{
		ID: c.ID, Name: r.Name, Prefix: r.Prefix, Scopes: append([]string{}, r.Scopes...), CreatedAt: c.CreatedAt,
		ExpiresAt: known(r.ExpiresAt), LastUsedAt: known(r.LastUsed), Suspended: r.Suspended,
	}, err
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Wish is what somebody says about a key that is to be made.
type Wish struct {
	Name      string     `json:"name"`
	Scopes    *[]string  `json:"scopes,omitempty" jsonschema:"Patterns of permissions. Left out: *:read."`
	ExpiresAt *time.Time `json:"expires_at,omitempty" jsonschema:"Left out: never."`
	Test      bool       `json:"test,omitempty" jsonschema:"Makes an ost_test_ key, for programs that tell them apart."`
}

// check returns the record that is wished for.
func (w Wish) check(now time.Time) (record, error) {
	name := strings.TrimSpace(w.Name)
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > 100 || strings.ContainsFunc(name, unicode.IsControl) {
		return record{}, errMalformed.At("body.name", "must be 1 to 100 characters, without control characters")
	}
	r := record{Name: name, Scopes: []string{"*:read"}}
	if w.Scopes != nil {
		r.Scopes = slices.Compact(slices.Sorted(slices.Values(*w.Scopes)))
	}
	if len(r.Scopes) > maxScopes {
		return r, errMalformed.At("body.scopes", fmt.Sprintf("may hold at most %d", maxScopes))
	}
	for _, s := range r.Scopes {
		if authz.ValidPermission(s) != nil {
			return r, errMalformed.At("body.scopes", "holds what is no pattern of permissions like todos:read or *:read")
		}
	}
	if w.ExpiresAt != nil {
		if !w.ExpiresAt.After(now) {
			return r, errMalformed.At("body.expires_at", "must be in the future")
		}
		r.ExpiresAt = w.ExpiresAt.UTC()
	}
	return r, nil
}
