package storetest

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

func entry() store.Entry {
	return store.Entry{Kind: store.KindGrant, Hash: random16(), ExpiresAt: noon}
}

func testLog(t *testing.T, s store.Store) {
	ctx, log := t.Context(), s.Log()
	after := func(seq int64, limit int) ([]store.Entry, store.Position) {
		t.Helper()
		entries, head, err := log.After(ctx, seq, limit)
		ok(t, err)
		return entries, head
	}
	none, start := after(0, 10)
	same(t, none, []store.Entry(nil))
	same(t, start.Seq, int64(0))
	if start.Incarnation == [16]byte{} {
		t.Fatal("the incarnation is not random")
	}
	a, b, c := entry(), entry(), entry()
	ok(t, log.Append(ctx, a, b))
	ok(t, log.Append(ctx))
	ok(t, s.Do(ctx, func(tx store.Tx) error { return tx.Log().Append(ctx, c) }))
	a.Seq, b.Seq, c.Seq = 1, 2, 3
	got, head := after(0, 10)
	same(t, got, []store.Entry{a, b, c})
	same(t, head, store.Position{Incarnation: start.Incarnation, Seq: 3})
	got, head = after(1, 1)
	same(t, got, []store.Entry{b})
	same(t, head.Seq, int64(3))
	got, head = after(3, 1)
	same(t, len(got), 0)
	same(t, head.Seq, int64(3))
	got, _ = after(0, 0)
	same(t, len(got), 0)
	has := must[bool](t)
	same(t, has(log.Has(ctx, b.Kind, b.Hash)), true)
	same(t, has(log.Has(ctx, store.KindKey, b.Hash)), false)
	same(t, has(log.Has(ctx, b.Kind, random16())), false)

	trim := must[int](t)
	same(t, trim(log.Trim(ctx, noon, 9)), 0)
	same(t, trim(log.Trim(ctx, noon.Add(tick), 0)), 0)
	same(t, trim(log.Trim(ctx, noon.Add(tick), 2)), 2)
	ok(t, log.Restart(ctx))
	got, head = after(0, 9)
	same(t, len(got), 0)
	same(t, head.Seq, int64(3))
	if head.Incarnation == start.Incarnation {
		t.Fatal("the incarnation is the old one")
	}
	ok(t, log.Append(ctx, a))
	_, head = after(0, 9)
	same(t, head.Seq, int64(4))
}

// testR19LogOrder holds a transaction open across an attempt at a later commit. Where the backend lets the later one
// through, it must have the lower number; where it does not, it has to wait. In both cases a reader that follows meets both.
func testR19LogOrder(t *testing.T, s store.Store) {
	first, second := entry(), entry()
	opened, release, finished := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		finished <- s.Do(t.Context(), func(tx store.Tx) error {
			if err := tx.Log().Append(t.Context(), first); err != nil {
				return err
			}
			select {
			case <-opened: // fn runs again
			default:
				close(opened)
			}
			<-release
			return nil
		})
	}()
	<-opened
	brief, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	waited := s.Log().Append(brief, second)
	position := int64(0)
	var met []store.Entry
	follow := func(ctx context.Context) error {
		got, head, err := s.Log().After(ctx, position, 100)
		if err == nil {
			met, position = append(met, got...), head.Seq
		}
		return err
	}
	if waited == nil {
		ok(t, follow(t.Context()))
	} else {
		is(t, waited, context.DeadlineExceeded)
	}
	close(release)
	ok(t, <-finished)
	ok(t, follow(t.Context()))
	if waited != nil {
		ok(t, s.Log().Append(t.Context(), second))
		ok(t, follow(t.Context()))
	}
	var hashes [][16]byte
	for _, e := range met {
		hashes = append(hashes, e.Hash)
	}
	if len(met) != 2 || !slices.Contains(hashes, first.Hash) || !slices.Contains(hashes, second.Hash) {
		t.Fatalf("the follower met %d entries, want both", len(met))
	}
}

func raceAppend(t *testing.T, s store.Store) {
	stop, followed := make(chan struct{}), make(chan []store.Entry)
	go func() { // follows while the others write
		var met []store.Entry
		for last := false; !last; {
			select {
			case <-stop:
				last = true
			default:
			}
			position := int64(0)
			if len(met) > 0 {
				position = met[len(met)-1].Seq
			}
			got, _, err := s.Log().After(t.Context(), position, 1000)
			if err != nil {
				t.Error(err)
				break
			}
			met = append(met, got...)
		}
		followed <- met
	}()
	for _, err := range race(racers, func(i int) error {
		if i%2 == 0 {
			return s.Log().Append(t.Context(), entry(), entry())
		}
		return s.Do(t.Context(), func(tx store.Tx) error {
			if err := tx.Log().Append(t.Context(), entry()); err != nil {
				return err
			}
			return tx.Log().Append(t.Context(), entry())
		})
	}) {
		ok(t, err)
	}
	close(stop)
	met := <-followed
	same(t, len(met), 2*racers)
	for i, e := range met {
		same(t, e.Seq, int64(i+1))
	}
}

func event(kind string, at time.Time) store.Event {
	return store.Event{
		ID: newID(), Kind: kind, At: at, Actor: "cli", Subject: newID(), SessionID: newID(), ClientID: "client",
		Source: netip.MustParseAddr("2001:db8::1"), RequestID: "r", Detail: map[string]string{"ä": "\"<\u2028"},
	}
}

func testEvents(t *testing.T, s store.Store) {
	ctx, events := t.Context(), s.Events()
	a, b, c := event("session.created", noon), event("session", noon.Add(tick)), event("sessions.x", noon)
	b.Detail, b.Source, c.Subject, c.SessionID, c.Detail = map[string]string{}, netip.Addr{}, "", "", nil
	ok(t, events.Record(ctx, a, b))
	ok(t, events.Record(ctx, c))
	b.Detail = nil
	list := func(q store.EventQuery) []store.Event { return must[[]store.Event](t)(events.List(ctx, q)) }
	all := list(store.EventQuery{})
	if len(all) != 3 || all[0].Seq <= all[1].Seq || all[1].Seq <= all[2].Seq {
		t.Fatalf("%d events, want 3, the newest first", len(all))
	}
	c.Seq, b.Seq, a.Seq = all[0].Seq, all[1].Seq, all[2].Seq
	same(t, all, []store.Event{c, b, a})
	same(t, list(store.EventQuery{Limit: 1}), all[:1])
	same(t, list(store.EventQuery{Before: c.Seq}), all[1:])
	same(t, list(store.EventQuery{Subject: a.Subject}), []store.Event{a})
	same(t, list(store.EventQuery{Kind: "session."}), []store.Event{a})
	same(t, list(store.EventQuery{Kind: "session"}), []store.Event{b})
	same(t, list(store.EventQuery{Kind: "Session."}), []store.Event(nil))

	trim := must[int](t)
	same(t, trim(events.Trim(ctx, noon, 9)), 0)
	same(t, trim(events.Trim(ctx, noon.Add(tick), 1)), 1)
	same(t, trim(events.Trim(ctx, noon.Add(tick), 9)), 1)
	same(t, list(store.EventQuery{}), []store.Event{b})
	ok(t, events.Erase(ctx, ""))
	ok(t, events.Erase(ctx, newID()))
	ok(t, events.Erase(ctx, b.Subject))
	same(t, len(list(store.EventQuery{})), 0)
	ok(t, events.Record(ctx, a))
	if got := list(store.EventQuery{})[0].Seq; got <= c.Seq {
		t.Fatalf("number %d was given before", got)
	}
}
