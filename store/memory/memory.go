// Package memory keeps everything in maps: for tests, examples and applications that may forget everybody at a restart.
//
// It owns the whole storage contract, durable and volatile part, and nothing beyond the life of the process. It reads
// some lists by going through all records, so it is not for more than some thousand people.
package memory

import (
	"context"
	"errors"
	"sync"

	"github.com/ostiary/ostiary/store"
)

// Store implements store.Store and store.Volatile. It is safe for concurrent use.
type Store struct {
	view
	turn chan struct{} // holds one token; who has it owns data
	data *data

	volatile struct {
		sync.Mutex
		sessions map[string]store.Session
		counters map[string]counter
	}
}

// New returns an empty store.
func New() *Store {
	s := &Store{turn: make(chan struct{}, 1), data: newData()}
	s.view = view{s}
	s.turn <- struct{}{}
	s.volatile.sessions = map[string]store.Session{}
	s.volatile.counters = map[string]counter{}
	return s
}

// Do runs fn alone: no other step of the durable part happens meanwhile.
func (s *Store) Do(ctx context.Context, fn func(tx store.Tx) error) error {
	return s.step(ctx, func(d *data) error {
		tx := &transaction{data: d}
		defer func() { tx.over = true }()
		if err := fn(view{tx}); err != nil {
			return err
		}
		d.append(tx.entries)
		return nil
	})
}

// Ping never fails while ctx lives.
func (s *Store) Ping(ctx context.Context) error { return ctx.Err() }

// Close does nothing.
func (s *Store) Close() error { return nil }

// step runs fn in its turn and takes back what it changed unless it returned nil.
func (s *Store) step(ctx context.Context, fn func(*data) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.turn:
	}
	kept := false
	defer func() { // also when fn panics or ends its goroutine
		if !kept {
			s.data.rollback()
		}
		s.data.undo = nil
		s.turn <- struct{}{}
	}()
	if err := fn(s.data); err != nil {
		return err
	}
	kept = true
	return nil
}

func (s *Store) append(ctx context.Context, e []store.Entry) error {
	return s.step(ctx, func(d *data) error {
		d.append(e)
		return nil
	})
}

// stepper runs the steps of a view: each for itself, or within one transaction.
type stepper interface {
	step(ctx context.Context, fn func(*data) error) error
	append(ctx context.Context, e []store.Entry) error
}

type transaction struct {
	data    *data
	entries []store.Entry
	over    bool
}

var errOver = errors.New("transaction is over")

func (t *transaction) step(ctx context.Context, fn func(*data) error) error {
	if t.over {
		return errOver
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn(t.data)
}

func (t *transaction) append(ctx context.Context, e []store.Entry) error {
	return t.step(ctx, func(*data) error {
		t.entries = append(t.entries, e...)
		return nil
	})
}

type view struct{ stepper }

func (v view) Users() store.Users             { return users{v} }
func (v view) Credentials() store.Credentials { return credentials{v} }
func (v view) Grants() store.Grants           { return grants{v} }
func (v view) Tickets() store.Tickets         { return tickets{v} }
func (v view) Log() store.Log                 { return log{v} }
func (v view) Events() store.Events           { return events{v} }
func (v view) Messages() store.Messages       { return messages{v} }
func (v view) Registry() store.Registry       { return registry{v} }
