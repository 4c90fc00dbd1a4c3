package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

func ticket() store.Ticket {
	return store.Ticket{Kind: "reset", Hash: random32(), UserID: newID(), Data: []byte("sealed"), ExpiresAt: noon}
}

func testTickets(t *testing.T, s store.Store) {
	ctx, tickets := t.Context(), s.Tickets()
	a := ticket()
	ok(t, tickets.Put(ctx, a))
	is(t, tickets.Put(ctx, a), store.ErrConflict)
	same(t, must[store.Ticket](t)(tickets.Get(ctx, a.Kind, a.Hash)), a)
	_, err := tickets.Get(ctx, "Reset", a.Hash)
	is(t, err, store.ErrNotFound)
	other := a
	other.Kind, other.UserID, other.Data = "magic", "", nil
	ok(t, tickets.Put(ctx, other)) // the kind is a part of the name
	for n := range 3 {
		same(t, must[int](t)(tickets.Attempt(ctx, a.Kind, a.Hash)), n+1)
	}
	_, err = tickets.Attempt(ctx, a.Kind, random32())
	is(t, err, store.ErrNotFound)
	a.Attempts = 3
	same(t, must[store.Ticket](t)(tickets.Consume(ctx, a.Kind, a.Hash)), a)
	got, err := tickets.Consume(ctx, a.Kind, a.Hash)
	is(t, err, store.ErrUsed)
	same(t, got, a)
	_, err = tickets.Get(ctx, a.Kind, a.Hash)
	is(t, err, store.ErrNotFound)
	_, err = tickets.Attempt(ctx, a.Kind, a.Hash)
	is(t, err, store.ErrNotFound)
	_, err = tickets.Consume(ctx, a.Kind, random32())
	is(t, err, store.ErrNotFound)
	is(t, tickets.Put(ctx, a), store.ErrConflict) // a used secret does not come back

	ok(t, tickets.DeleteOf(ctx, a.UserID, "magic"))
	_, err = tickets.Consume(ctx, a.Kind, a.Hash)
	is(t, err, store.ErrUsed)
	ok(t, tickets.DeleteOf(ctx, a.UserID, ""))
	_, err = tickets.Consume(ctx, a.Kind, a.Hash)
	is(t, err, store.ErrNotFound)
	ok(t, tickets.DeleteOf(ctx, "", ""))
	same(t, must[store.Ticket](t)(tickets.Get(ctx, other.Kind, other.Hash)), other)

	sweep := must[int](t)
	ok(t, tickets.Put(ctx, ticket()))
	same(t, sweep(tickets.Sweep(ctx, noon, 10)), 0)
	same(t, sweep(tickets.Sweep(ctx, noon.Add(tick), 0)), 0)
	same(t, sweep(tickets.Sweep(ctx, noon.Add(tick), 1)), 1)
	same(t, sweep(tickets.Sweep(ctx, noon.Add(tick), 10)), 1)
}

func raceConsume(t *testing.T, s store.Store) {
	a := ticket()
	ok(t, s.Tickets().Put(t.Context(), a))
	oneWinner(t, race(racers, func(int) error {
		_, err := s.Tickets().Consume(t.Context(), a.Kind, a.Hash)
		return err
	}), store.ErrUsed)
}

func raceAttempt(t *testing.T, s store.Store) {
	a := ticket()
	ok(t, s.Tickets().Put(t.Context(), a))
	numbers := make([]int, racers)
	for _, err := range race(racers, func(i int) (err error) {
		numbers[i], err = s.Tickets().Attempt(t.Context(), a.Kind, a.Hash)
		return err
	}) {
		ok(t, err)
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		same(t, n, i+1)
	}
}

func testRegistry(t *testing.T, s store.Store) {
	ctx, registry := t.Context(), s.Registry()
	r := store.Record{Kind: "role", ID: "editor", Data: []byte("x")}
	ok(t, registry.Put(ctx, r))
	is(t, registry.Put(ctx, r), store.ErrConflict)
	r.Version = 1
	same(t, must[store.Record](t)(registry.Get(ctx, "role", "editor")), r)
	r.Data = []byte{}
	ok(t, registry.Put(ctx, r))
	is(t, registry.Put(ctx, r), store.ErrConflict)
	r.Data, r.Version = nil, 2
	same(t, must[store.Record](t)(registry.Get(ctx, "role", "editor")), r)
	is(t, registry.Put(ctx, store.Record{Kind: "role", ID: "gone", Version: 1}), store.ErrNotFound)
	_, err := registry.Get(ctx, "Role", "editor")
	is(t, err, store.ErrNotFound)

	names := []string{"", "A", "B", "a", "b", "editor", "ä", "\U0001F600"} // byte order
	for _, id := range names {
		if id != "editor" {
			ok(t, registry.Put(ctx, store.Record{Kind: "role", ID: id}))
		}
	}
	list := func(after string, limit int) []string {
		var got []string
		for _, r := range must[[]store.Record](t)(registry.List(ctx, "role", after, limit)) {
			got = append(got, r.ID)
		}
		return got
	}
	same(t, list("", 100), names[1:])
	same(t, list("B", 2), names[3:5])
	same(t, list("B", 0), []string(nil))
	same(t, len(must[[]store.Record](t)(registry.List(ctx, "key", "", 10))), 0)

	is(t, registry.Delete(ctx, "role", "editor", 1), store.ErrConflict)
	ok(t, registry.Delete(ctx, "role", "editor", 2))
	ok(t, registry.Delete(ctx, "role", "editor", 2))
	ok(t, registry.Delete(ctx, "role", "a", 0))
	same(t, list("B", 100), []string{"b", "ä", "\U0001F600"})
}

func testMessages(t *testing.T, s store.Store) {
	ctx, messages := t.Context(), s.Messages()
	a := store.Message{ID: newID(), Body: []byte("a"), At: noon, ExpiresAt: noon.Add(time.Hour)}
	b := store.Message{ID: newID(), Body: []byte("b"), Attempts: 2, At: noon.Add(-tick), ExpiresAt: noon.Add(-time.Hour)}
	ok(t, messages.Enqueue(ctx, a, b))
	ok(t, messages.Enqueue(ctx))
	free := store.Message{ID: newID()}
	is(t, messages.Enqueue(ctx, free, a), store.ErrConflict)
	is(t, messages.Enqueue(ctx, free, free), store.ErrConflict)
	same(t, must[int](t)(messages.Count(ctx)), 2) // all or nothing
	ok(t, s.Do(ctx, func(tx store.Tx) error {     // also for those who go on
		is(t, tx.Messages().Enqueue(ctx, free, a), store.ErrConflict)
		return nil
	}))
	same(t, must[int](t)(messages.Count(ctx)), 2)

	lease := func(now time.Time, limit int) []store.Message {
		return must[[]store.Message](t)(messages.Lease(ctx, now, now.Add(time.Minute), limit))
	}
	same(t, lease(noon.Add(-time.Hour), 9), []store.Message(nil))
	same(t, lease(noon, 0), []store.Message(nil))
	b.Attempts, b.At = 3, noon.Add(time.Minute)
	same(t, lease(noon, 1), []store.Message{b}) // the longest due first; an expired one, too
	a.Attempts, a.At = 1, noon.Add(time.Minute)
	same(t, lease(noon, 9), []store.Message{a})
	same(t, lease(noon.Add(time.Minute-tick), 9), []store.Message(nil))
	ok(t, messages.Delay(ctx, a.ID, noon.Add(time.Second)))
	a.Attempts, a.At = 2, noon.Add(61*time.Second)
	same(t, lease(noon.Add(time.Second), 9), []store.Message{a})
	ok(t, messages.Done(ctx, a.ID))
	ok(t, messages.Done(ctx, a.ID))
	ok(t, messages.Delay(ctx, a.ID, noon))
	same(t, must[int](t)(messages.Count(ctx)), 1)
}

func raceLease(t *testing.T, s store.Store) {
	const queued = 40
	for range queued {
		ok(t, s.Messages().Enqueue(t.Context(), store.Message{ID: newID(), At: noon}))
	}
	leased := make([][]store.Message, racers)
	for _, err := range race(racers, func(i int) (err error) {
		leased[i], err = s.Messages().Lease(t.Context(), noon, noon.Add(time.Hour), 3)
		return err
	}) {
		ok(t, err)
	}
	seen := map[string]bool{}
	for _, m := range slices.Concat(leased...) {
		if seen[m.ID] {
			t.Fatalf("message %s was leased twice", m.ID)
		}
		seen[m.ID] = true
	}
	same(t, len(seen), queued)
}
