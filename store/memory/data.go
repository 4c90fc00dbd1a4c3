package memory

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ostiary/ostiary/store"
)

type ticketKey struct {
	kind string
	hash [32]byte
}

type ticket struct {
	store.Ticket
	consumed bool
}

// data is everything durable. What is in the maps is never changed, only replaced, so that undo can put it back.
type data struct {
	users       map[string]store.User
	emails      map[string]string // EmailNormal → ID
	credentials map[string]store.Credential
	lookups     map[[2]string]string // Method, Lookup → ID
	grants      map[string]store.Grant
	tickets     map[ticketKey]ticket
	log         map[int64]store.Entry
	head        map[struct{}]store.Position
	events      map[int64]store.Event
	lastEvent   int64 // never goes back, so that a number is used once
	messages    map[string]store.Message
	registry    map[[2]string]store.Record // Kind, ID

	undo []func()
}

func newData() *data {
	d := &data{
		users:       map[string]store.User{},
		emails:      map[string]string{},
		credentials: map[string]store.Credential{},
		lookups:     map[[2]string]string{},
		grants:      map[string]store.Grant{},
		tickets:     map[ticketKey]ticket{},
		log:         map[int64]store.Entry{},
		head:        map[struct{}]store.Position{},
		events:      map[int64]store.Event{},
		messages:    map[string]store.Message{},
		registry:    map[[2]string]store.Record{},
	}
	d.head[struct{}{}] = store.Position{Incarnation: incarnation()}
	return d
}

func incarnation() (id [16]byte) {
	rand.Read(id[:]) // never fails
	return id
}

func (d *data) rollback() {
	for _, undo := range slices.Backward(d.undo) {
		undo()
	}
}

// put sets m[k] until a rollback.
func put[K comparable, V any](d *data, m map[K]V, k K, v V) {
	remember(d, m, k)
	m[k] = v
}

// drop deletes m[k] until a rollback.
func drop[K comparable, V any](d *data, m map[K]V, k K) {
	remember(d, m, k)
	delete(m, k)
}

func remember[K comparable, V any](d *data, m map[K]V, k K) {
	old, existed := m[k]
	d.undo = append(d.undo, func() {
		if existed {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
}

// sorted returns the values that match, in order of key; limit 0 is none.
func sorted[K cmp.Ordered, V any](m map[K]V, limit int, match func(V) bool) []V {
	var out []V
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if limit > 0 && len(out) == limit {
			break
		}
		if v := m[k]; match(v) {
			out = append(out, v)
		}
	}
	return out
}

// trim drops at most limit values that match and returns how many.
func trim[K comparable, V any](d *data, m map[K]V, limit int, match func(V) bool) int {
	n := 0
	for k, v := range m {
		if n >= limit {
			break
		}
		if match(v) {
			drop(d, m, k)
			n++
		}
	}
	return n
}

// micros is a time as every backend keeps it.
func micros(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }

// list copies a slice; an empty one is nil.
func list[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return slices.Clone(s)
}

func page(limit int) int {
	if limit < 1 || limit > 1000 {
		return 1000
	}
	return limit
}

// checkIDs refuses to store a record with a malformed ID or reference.
func checkIDs(id string, references ...string) error {
	if !store.ValidID(id) {
		return fmt.Errorf("store record: ID %q is no canonical UUID", id)
	}
	return checkReferences(references...)
}

func checkReferences(references ...string) error {
	for _, r := range references {
		if r != "" && !store.ValidID(r) {
			return fmt.Errorf("store record: reference %q is no canonical UUID", r)
		}
	}
	return nil
}
