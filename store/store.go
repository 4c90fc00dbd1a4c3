// Package store is what the engine asks of a backend: records, small interfaces and storage errors. It decides nothing.
//
// The comments of this package are the specification; package storetest holds every backend to them.
//
// No verb reads a clock. Times come in as arguments, and the engine compares expiry after the read, so a record that has
// expired may or may not be returned until it is swept. Times are kept to the microsecond, in UTC; the zero time stays the
// zero time.
//
// IDs (of users, credentials, sessions, grants, events, messages) are UUIDs in their canonical lower-case text form. A
// backend may keep them in 16 bytes. A verb that is handed anything else as an ID finds nothing, exactly as if the record
// were missing, and never fails because of it; a record that holds anything else cannot be stored, which is a fault. An
// empty reference to a user or session is none.
//
// Empty slices and maps come back as nil. A limit that is stated as "at most limit" and is not positive selects nothing.
//
// Errors are ErrNotFound, ErrConflict and ErrUsed as stated at each verb. Anything else is a fault of the backend: the
// caller answers 503 and knows nothing about what happened. Every verb honours its context; one that was cancelled may or
// may not have happened, which is why verbs are idempotent or compare-and-swap.
package store

import (
	"context"
	"errors"
	"time"
)

// The decisions that a backend may answer with. They never become an answer to a person by themselves.
var (
	// ErrNotFound says that there is no such record.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict says that a unique value is taken, or that a compare-and-swap found another version.
	ErrConflict = errors.New("store: conflict")
	// ErrUsed says that a ticket was consumed before.
	ErrUsed = errors.New("store: already used")
)

// Tx is everything durable. What is written through one Tx becomes visible together, or not at all.
type Tx interface {
	Users() Users
	Credentials() Credentials
	Grants() Grants
	Tickets() Tickets
	Log() Log
	Events() Events
	Messages() Messages
	Registry() Registry
}

// Store is durable storage. Used directly, it is a Tx of single steps.
type Store interface {
	Tx
	// Do runs fn in one transaction and returns after it is durable. An error of fn rolls everything back and is returned
	// as it is. fn may run more than once and must have no effect outside its Tx. The Volatile part of a backend must not
	// be used inside fn: where both share one writer that is a deadlock.
	Do(ctx context.Context, fn func(tx Tx) error) error
	// Ping fails when the backend cannot answer a read.
	Ping(ctx context.Context) error
	Close() error
}

// Volatile keeps what may be lost: sessions and counters. It may lose a record, and it may bring a deleted one back (a
// restored snapshot); the engine is right in both cases.
type Volatile interface {
	Sessions() Sessions
	Counters() Counters
	Ping(ctx context.Context) error
}

// Users keeps people.
type Users interface {
	// Create stores u with Version 1. ErrConflict: the ID or the (non-empty) EmailNormal is taken.
	Create(ctx context.Context, u User) error
	// Get returns the user. ErrNotFound.
	Get(ctx context.Context, id string) (User, error)
	// ByEmail finds by the normalised address, compared byte by byte: the engine normalises, never a collation. ErrNotFound.
	ByEmail(ctx context.Context, normal string) (User, error)
	// Update replaces the user if its stored Version is u.Version, and increments that. ErrConflict: another version, or
	// the address is taken. ErrNotFound.
	Update(ctx context.Context, u User) error
	// Delete removes the user alone; what hangs on it is removed by the caller in the same Tx. Idempotent.
	Delete(ctx context.Context, id string) error
	// List returns users in order of ID.
	List(ctx context.Context, q UserQuery) ([]User, error)
}

// Credentials keeps what people prove themselves with: password hashes, second factors, outside identities.
type Credentials interface {
	// Create stores c with Version 1. ErrConflict: the ID or (Method, Lookup) is taken.
	Create(ctx context.Context, c Credential) error
	// ByLookup finds a credential by its method and lookup value, byte by byte. ErrNotFound.
	ByLookup(ctx context.Context, method, lookup string) (Credential, error)
	// Of returns all credentials of a user, of every method, in order of ID: one read answers "is a factor due?".
	Of(ctx context.Context, userID string) ([]Credential, error)
	// Update replaces the credential if its stored Version is c.Version, and increments that. ErrConflict, ErrNotFound.
	Update(ctx context.Context, c Credential) error
	// Delete removes one credential if its stored Version is version (0: any). Idempotent; ErrConflict: another version.
	Delete(ctx context.Context, id string, version int64) error
	// DeleteOf removes all credentials of a user. Idempotent.
	DeleteOf(ctx context.Context, userID string) error
}

// Grants keeps one row for each grant and its refresh family: rotation adds no rows.
type Grants interface {
	// Create stores g. ErrConflict: the ID is taken.
	Create(ctx context.Context, g Grant) error
	// Get returns the grant. ErrNotFound: it ended, or never was.
	Get(ctx context.Context, id string) (Grant, error)
	// Rotate moves a grant to its next generation in one conditional write: it must be at generation r.From, and its
	// person (if it has one) must still be at the grant's epoch. ErrConflict: at another generation. ErrNotFound: the
	// grant is gone, its person is gone, or the person's epoch moved.
	Rotate(ctx context.Context, r Rotation) error
	// Recover notes in one conditional write that the late repeat of generation-1 was answered at generation: the grant
	// must be at that generation, and its Recovered must not exceed generation-2 unless it is 0. ErrConflict otherwise.
	Recover(ctx context.Context, id string, generation int64) error
	// List returns the grants that match q, in order of ID. A query that selects everything is a fault.
	List(ctx context.Context, q GrantQuery) ([]Grant, error)
	// End removes the grants that match q and returns how many there were. A query that selects everything is a fault.
	End(ctx context.Context, q GrantQuery) (int, error)
}

// Tickets keeps every short-lived or one-time secret under its keyed hash.
type Tickets interface {
	// Put stores t. ErrConflict: (Kind, Hash) is taken.
	Put(ctx context.Context, t Ticket) error
	// Get returns a ticket that was not consumed. ErrNotFound, also when it was.
	Get(ctx context.Context, kind string, hash [32]byte) (Ticket, error)
	// Attempt counts one try and returns the number of tries so far, this one included. ErrNotFound: none, or consumed.
	Attempt(ctx context.Context, kind string, hash [32]byte) (int, error)
	// Consume has exactly one winner. Later callers get ErrUsed together with the ticket, so that the replay of a code can
	// revoke what the code issued (RFC 9700 §2.1.1). ErrNotFound: there is none.
	Consume(ctx context.Context, kind string, hash [32]byte) (Ticket, error)
	// DeleteOf removes the tickets of a user, of one kind or, with kind "", of all. Idempotent.
	DeleteOf(ctx context.Context, userID, kind string) error
	// Sweep removes at most limit tickets that expired before t, and returns how many.
	Sweep(ctx context.Context, t time.Time, limit int) (int, error)
}

// Log is the revocation log. It assigns Seq from a counter row as the last statement of the transaction, so a reader that
// has seen n never meets a new entry ≤ n.
type Log interface {
	// Append adds entries; their Seq is assigned. Inside Do it happens at the end of the transaction.
	Append(ctx context.Context, e ...Entry) error
	// After returns at most limit entries with Seq > seq in order of Seq, and the head: the position reached by the log at
	// the moment of the read. Fewer entries than limit mean that the reader is now at head.Seq.
	After(ctx context.Context, seq int64, limit int) ([]Entry, Position, error)
	// Has says whether an entry of that kind and hash is in the log.
	Has(ctx context.Context, kind Kind, hash [16]byte) (bool, error)
	// Restart gives the log a new random incarnation and removes its entries, whose hashes mean nothing in another one.
	// Seq goes on.
	Restart(ctx context.Context) error
	// Trim removes at most limit entries that expired before t, and returns how many.
	Trim(ctx context.Context, t time.Time, limit int) (int, error)
}

// Events keeps what happened: the source of audit, activity pages and notices.
type Events interface {
	// Record stores events; their Seq is assigned in order of recording.
	Record(ctx context.Context, e ...Event) error
	// List returns the events that match q, newest first.
	List(ctx context.Context, q EventQuery) ([]Event, error)
	// Trim removes at most limit events that happened before t, and returns how many.
	Trim(ctx context.Context, t time.Time, limit int) (int, error)
	// Erase removes the events whose Subject is that user. Idempotent.
	Erase(ctx context.Context, userID string) error
}

// Messages is the queue of outgoing mail, committed with its cause. Bodies arrive sealed: they contain links.
type Messages interface {
	// Enqueue stores messages that are due from m.At on. ErrConflict: an ID is taken.
	Enqueue(ctx context.Context, m ...Message) error
	// Lease returns at most limit messages that are due at now and hides them from other callers until that time; each
	// message goes to exactly one caller, the longest due first. The messages are returned as they are afterwards: with
	// Attempts incremented and At moved to until. One that expired is leased, too: the caller removes it.
	Lease(ctx context.Context, now, until time.Time, limit int) ([]Message, error)
	// Delay makes a leased message due again at the given time. Idempotent; nothing happens when it is gone.
	Delay(ctx context.Context, id string, at time.Time) error
	// Done removes a message. Idempotent.
	Done(ctx context.Context, id string) error
	// Count returns how many messages are waiting.
	Count(ctx context.Context) (int, error)
}

// Registry keeps small records by kind: roles, signing keys, settings, clients. Data is opaque (and sealed by the engine
// where it holds a secret).
type Registry interface {
	// Put creates the record when r.Version is 0 (ErrConflict: it exists), else replaces the stored one if that has
	// r.Version (ErrConflict: another version; ErrNotFound: gone). The stored version is one more than r.Version.
	Put(ctx context.Context, r Record) error
	// Get returns one record. ErrNotFound.
	Get(ctx context.Context, kind, id string) (Record, error)
	// List returns at most limit records of a kind with ID > after, in byte order of ID.
	List(ctx context.Context, kind, after string, limit int) ([]Record, error)
	// Delete removes a record if its stored version is version (0: any). Idempotent; ErrConflict: another version.
	Delete(ctx context.Context, kind, id string, version int64) error
}

// Sessions keeps signed-in browsers and devices.
type Sessions interface {
	// Put creates or replaces the session with s.ID; replacing changes its cookie hash, too.
	Put(ctx context.Context, s Session) error
	// Get finds by ID. ErrNotFound.
	Get(ctx context.Context, id string) (Session, error)
	// ByHash finds by the SHA-256 of the cookie's secret. ErrNotFound.
	ByHash(ctx context.Context, hash [32]byte) (Session, error)
	// List returns the sessions that match q, in order of ID.
	List(ctx context.Context, q SessionQuery) ([]Session, error)
	// Touch moves LastSeenAt and IdleAt forward, never back; nothing happens when the session is gone.
	Touch(ctx context.Context, id string, seen, idle time.Time) error
	// End removes a session. Idempotent.
	End(ctx context.Context, id string) error
}

// Counters is the generic cell rate algorithm (GCRA), with the same arithmetic in every backend (see Rate and Steps). A key
// has one state for each rate that it is taken from, in order; callers name the same rates every time, or ones that mean
// the same window.
type Counters interface {
	// Take asks for one unit of every rate at now, and takes all or none. It is atomic: of n callers, as many succeed as the
	// tightest rate allows. It is one write, and none at all when the answer is a refusal.
	Take(ctx context.Context, key string, now time.Time, rates ...Rate) (Allowance, error)
	// Refund gives back one unit that was taken of every rate, never beyond a full bucket.
	Refund(ctx context.Context, key string, now time.Time, rates ...Rate) error
	// Reset forgets the key. Idempotent.
	Reset(ctx context.Context, key string) error
	// Sweep removes at most limit counters whose buckets were all full again before t, and returns how many. Where counters
	// vanish by themselves it removes none.
	Sweep(ctx context.Context, t time.Time, limit int) (int, error)
}
