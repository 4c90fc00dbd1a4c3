package token

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// Ring holds the keys that sign and verify now. It is safe for concurrent use, and reading it takes no lock: the keys are
// an immutable set that Set replaces as a whole.
type Ring struct {
	set atomic.Pointer[set]
}

// set is never changed after it was made; the key set document is remembered beside it.
type set struct {
	byID   map[string]Key
	newest []Key // by Sign, the newest first
	jwks   atomic.Pointer[document]
}

// NewRing returns a ring without keys: it signs nothing and refuses every token.
func NewRing() *Ring {
	r := &Ring{}
	r.set.Store(&set{})
	return r
}

// Set replaces all keys at once, or none: a key without an ID, two with the same one, a key that does not fit its
// algorithm, an HS256 secret below 256 bits and an RSA key below 2,048 bits are refused.
func (r *Ring) Set(keys []Key) error {
	s := &set{byID: make(map[string]Key, len(keys)), newest: slices.Clone(keys)}
	for _, k := range keys {
		if err := k.check(); err != nil {
			return fmt.Errorf("set keys: %w", err)
		}
		if _, twice := s.byID[k.ID]; twice {
			return fmt.Errorf("set keys: two have the ID %q", k.ID)
		}
		s.byID[k.ID] = k
	}
	slices.SortStableFunc(s.newest, func(a, b Key) int {
		return cmp.Or(b.Sign.Compare(a.Sign), cmp.Compare(a.ID, b.ID))
	})
	r.set.Store(s)
	return nil
}

// signing returns the newest key of alg that signs at now.
func (s *set) signing(alg Alg, now time.Time) (Key, bool) {
	for _, k := range s.newest {
		if k.Alg == alg && k.signs(now) {
			return k, true
		}
	}
	return Key{}, false
}

// accepted returns the key with that ID unless it was removed. A key that does not sign yet is accepted: another node's
// clock may be ahead.
func (s *set) accepted(id string, now time.Time) (Key, bool) {
	k, ok := s.byID[id]
	return k, ok && before(now, k.Remove)
}

func (k Key) signs(now time.Time) bool {
	return (k.Private != nil || k.Secret != nil) && !now.Before(k.Sign) && before(now, k.Retire) && before(now, k.Remove)
}

func (k Key) published(now time.Time) bool {
	return k.Alg != HS256 && !now.Before(k.Publish) && before(now, k.Remove)
}

// before says whether now lies before end, where the zero end never comes.
func before(now, end time.Time) bool { return end.IsZero() || now.Before(end) }
