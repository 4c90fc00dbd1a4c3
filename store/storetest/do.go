package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

// everything writes one record of each kind.
func everything(ctx context.Context, tx store.Tx) error {
	u := person()
	t := ticket()
	return errors.Join(
		tx.Users().Create(ctx, u),
		tx.Credentials().Create(ctx, credential(u.ID)),
		tx.Grants().Create(ctx, grant(u)),
		tx.Tickets().Put(ctx, t),
		tx.Log().Append(ctx, entry()),
		tx.Events().Record(ctx, event("a", noon)),
		tx.Messages().Enqueue(ctx, store.Message{ID: newID(), At: noon}),
		tx.Registry().Put(ctx, store.Record{Kind: "k", ID: u.ID}),
	)
}

// contents describes what the store holds.
func contents(t *testing.T, s store.Store) string {
	t.Helper()
	ctx := t.Context()
	entries, head, err := s.Log().After(ctx, 0, 1000)
	ok(t, err)
	return fmt.Sprintln(
		must[[]store.User](t)(s.Users().List(ctx, store.UserQuery{})),
		must[[]store.Grant](t)(s.Grants().List(ctx, store.GrantQuery{Expired: noon.Add(time.Hour * 1e4)})),
		entries, head,
		must[[]store.Event](t)(s.Events().List(ctx, store.EventQuery{})),
		must[int](t)(s.Messages().Count(ctx)),
		must[[]store.Record](t)(s.Registry().List(ctx, "k", "", 1000)),
	)
}

func testDo(t *testing.T, s store.Store) {
	ctx := t.Context()
	ok(t, s.Ping(ctx))
	ok(t, s.Do(ctx, func(tx store.Tx) error { return everything(ctx, tx) }))
	before := contents(t, s)
	reason := errors.New("reason")
	err := s.Do(ctx, func(tx store.Tx) error {
		if err := everything(ctx, tx); err != nil {
			return err
		}
		users, err := tx.Users().List(ctx, store.UserQuery{})
		if err != nil || len(users) != 2 {
			t.Errorf("own writes are not seen: %d users, error %v", len(users), err)
		}
		u := users[0]
		u.EmailNormal = "changed"
		if err := tx.Users().Update(ctx, u); err != nil {
			return err
		}
		_, err = tx.Users().ByEmail(ctx, "changed")
		is(t, err, nil)
		is(t, tx.Users().Delete(ctx, users[1].ID), nil)
		is(t, tx.Log().Restart(ctx), nil)
		_, err = tx.Grants().End(ctx, store.GrantQuery{UserID: users[0].ID})
		is(t, err, nil)
		return reason
	})
	if err != reason {
		t.Fatalf("error is %v, want the one of fn as it is", err)
	}
	same(t, contents(t, s), before)

	var escaped store.Tx
	ok(t, s.Do(ctx, func(tx store.Tx) error {
		escaped = tx
		is(t, tx.Registry().Put(ctx, store.Record{Kind: "x", ID: "y"}), nil)
		is(t, tx.Registry().Put(ctx, store.Record{Kind: "x", ID: "y"}), store.ErrConflict)
		_, err := tx.Users().Get(ctx, newID())
		is(t, err, store.ErrNotFound)
		return nil // a decision does not spoil the transaction
	}))
	must[store.Record](t)(s.Registry().Get(ctx, "x", "y"))
	fault(t, escaped.Registry().Put(ctx, store.Record{Kind: "x", ID: "z"}))
	_, err = escaped.Users().Get(ctx, newID())
	fault(t, err)
}

// testDoEndsAbnormally wants a rollback, and a store that goes on, when fn panics or ends its goroutine (t.FailNow).
func testDoEndsAbnormally(t *testing.T, s store.Store) {
	ctx := t.Context()
	before := contents(t, s)
	for name, end := range map[string]func(){"panic": func() { panic("ouch") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer func() { _ = recover() }()
				err := s.Do(ctx, func(tx store.Tx) error {
					_ = everything(ctx, tx)
					end()
					return nil
				})
				if err == nil {
					t.Error("Do succeeded")
				}
			}()
			<-ended
			same(t, contents(t, s), before)
			ok(t, s.Registry().Put(ctx, store.Record{Kind: "alive", ID: name}))
		})
	}
}

func testCancelled(t *testing.T, s store.Store) {
	ctx := cancelled(t)
	before := contents(t, s)
	ran := false
	is(t, s.Do(ctx, func(store.Tx) error { ran = true; return nil }), context.Canceled)
	same(t, ran, false)
	is(t, s.Users().Create(ctx, person()), context.Canceled)
	_, err := s.Users().Get(ctx, newID())
	is(t, err, context.Canceled)
	is(t, s.Log().Append(ctx, entry()), context.Canceled)
	_, _, err = s.Log().After(ctx, 0, 1)
	is(t, err, context.Canceled)
	is(t, s.Ping(ctx), context.Canceled)
	middle, cancel := context.WithCancel(t.Context())
	err = s.Do(middle, func(tx store.Tx) error {
		is(t, tx.Users().Create(middle, person()), nil)
		cancel()
		return tx.Users().Create(middle, person())
	})
	is(t, err, context.Canceled)
	same(t, contents(t, s), before)
}

func testLargeAndOdd(t *testing.T, s store.Store) {
	ctx := t.Context()
	data := bytes.Repeat([]byte{0, 'x', 0xff}, 100_000/3)
	c, m := credential(newID()), store.Message{ID: newID(), Body: data, At: noon, ExpiresAt: noon}
	c.Data, c.Lookup = data, strings.Repeat("ü", 50_000)
	k := ticket()
	k.Data = data
	e := event("big", noon)
	e.Detail = map[string]string{"": strings.Repeat("e\x00", 50_000)}
	ok(t, s.Do(ctx, func(tx store.Tx) error {
		return errors.Join(tx.Credentials().Create(ctx, c), tx.Messages().Enqueue(ctx, m), tx.Tickets().Put(ctx, k),
			tx.Registry().Put(ctx, store.Record{Kind: "k", ID: "id", Data: data}), tx.Events().Record(ctx, e))
	}))
	data[0] = 1 // the caller's slice is the caller's
	same(t, must[store.Credential](t)(s.Credentials().ByLookup(ctx, c.Method, c.Lookup)).Data[0], byte(0))
	same(t, len(must[store.Ticket](t)(s.Tickets().Get(ctx, k.Kind, k.Hash)).Data), len(data))
	same(t, len(must[store.Record](t)(s.Registry().Get(ctx, "k", "id")).Data), len(data))
	same(t, must[[]store.Event](t)(s.Events().List(ctx, store.EventQuery{}))[0].Detail, e.Detail)
	got := must[store.Record](t)(s.Registry().Get(ctx, "k", "id"))
	got.Data[1] = 'y' // and what was read, too
	same(t, must[store.Record](t)(s.Registry().Get(ctx, "k", "id")).Data[1], byte('x'))
	same(t, must[[]store.Message](t)(s.Messages().Lease(ctx, noon, noon, 1))[0].Body[1:], data[1:])
}

func raceCompareAndSwap(t *testing.T, s store.Store) {
	ctx := t.Context()
	u, c := person(), credential(newID())
	r := store.Record{Kind: "k", ID: "id", Version: 1}
	ok(t, s.Users().Create(ctx, u))
	ok(t, s.Credentials().Create(ctx, c))
	ok(t, s.Registry().Put(ctx, store.Record{Kind: "k", ID: "id"}))
	for name, call := range map[string]func(int) error{
		"user":       func(int) error { return s.Users().Update(ctx, u) },
		"credential": func(int) error { return s.Credentials().Update(ctx, c) },
		"registry":   func(int) error { return s.Registry().Put(ctx, r) },
		"in do": func(int) error {
			return s.Do(ctx, func(tx store.Tx) error {
				return tx.Registry().Put(ctx, store.Record{Kind: "k", ID: "new"})
			})
		},
	} {
		t.Run(name, func(t *testing.T) { oneWinner(t, race(racers, call), store.ErrConflict) })
	}
}

func raceUnique(t *testing.T, s store.Store) {
	ctx := t.Context()
	k := ticket()
	for name, call := range map[string]func(int) error{
		"address": func(int) error {
			u := person()
			u.EmailNormal = "same"
			return s.Users().Create(ctx, u)
		},
		"lookup": func(int) error {
			c := credential(newID())
			c.Lookup = "same"
			return s.Credentials().Create(ctx, c)
		},
		"ticket": func(int) error { return s.Tickets().Put(ctx, k) },
	} {
		t.Run(name, func(t *testing.T) { oneWinner(t, race(racers, call), store.ErrConflict) })
	}
}
