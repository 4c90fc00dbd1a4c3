package token

import (
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// document is a key set as published from one moment (included) until another (excluded; zero: for ever).
type document struct {
	from, until time.Time
	body        []byte
}

// JWKS returns the published keys at now as an RFC 7517 key set, newest first: public keys only, never HS256. The bytes
// are shared by all callers and must not be changed.
func (r *Ring) JWKS(now time.Time) []byte {
	s := r.set.Load()
	if d := s.jwks.Load(); d != nil && !now.Before(d.from) && before(now, d.until) {
		return d.body
	}
	d := s.document(now)
	s.jwks.Store(d)
	return d.body
}

// document holds as long as no key appears or goes.
func (s *set) document(now time.Time) *document {
	d := &document{}
	keys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range s.newest {
		for _, edge := range []time.Time{k.Publish, k.Remove} {
			d.narrow(edge, now)
		}
		if k.published(now) {
			keys.Keys = append(keys.Keys, jose.JSONWebKey{Key: k.Public, KeyID: k.ID, Algorithm: string(k.Alg), Use: "sig"})
		}
	}
	d.body, _ = json.Marshal(keys) // cannot fail: Set checked every key
	return d
}

// narrow keeps the document's time between two neighbouring edges.
func (d *document) narrow(edge, now time.Time) {
	if edge.IsZero() {
		return
	}
	if edge.After(now) {
		if d.until.IsZero() || edge.Before(d.until) {
			d.until = edge
		}
		return
	}
	if edge.After(d.from) {
		d.from = edge
	}
}
