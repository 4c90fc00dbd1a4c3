package storetest

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

func session() store.Session {
	return store.Session{
		ID: newID(), UserID: newID(), Hash: random32(), Epoch: 2, AMR: []string{"pwd", "otp"}, AuthAt: noon,
		CreatedAt: noon.Add(-time.Hour), LastSeenAt: noon, IdleAt: noon.Add(time.Hour), ExpiresAt: noon.Add(2 * time.Hour),
		Source: netip.MustParseAddr("fe80::1%eth0"), UserAgent: "Mozilla/5.0 (ü)",
	}
}

func testSessions(t *testing.T, v store.Volatile) {
	ctx, sessions := t.Context(), v.Sessions()
	s := session()
	ok(t, sessions.Put(ctx, s))
	same(t, must[store.Session](t)(sessions.Get(ctx, s.ID)), s)
	same(t, must[store.Session](t)(sessions.ByHash(ctx, s.Hash)), s)
	old := s.Hash
	s.Hash, s.AMR, s.Source = random32(), []string{}, netip.Addr{}
	ok(t, sessions.Put(ctx, s))
	s.AMR = nil
	_, err := sessions.ByHash(ctx, old)
	is(t, err, store.ErrNotFound)
	same(t, must[store.Session](t)(sessions.ByHash(ctx, s.Hash)), s)

	ok(t, sessions.Touch(ctx, s.ID, noon.Add(-tick), noon)) // never back
	same(t, must[store.Session](t)(sessions.Get(ctx, s.ID)), s)
	s.LastSeenAt = noon.Add(tick)
	ok(t, sessions.Touch(ctx, s.ID, s.LastSeenAt, noon))
	same(t, must[store.Session](t)(sessions.Get(ctx, s.ID)), s)
	s.IdleAt = noon.Add(3 * time.Hour)
	ok(t, sessions.Touch(ctx, s.ID, noon, s.IdleAt))
	same(t, must[store.Session](t)(sessions.Get(ctx, s.ID)), s)
	ok(t, sessions.Touch(ctx, newID(), noon, noon))

	ok(t, sessions.End(ctx, s.ID))
	ok(t, sessions.End(ctx, s.ID))
	_, err = sessions.Get(ctx, s.ID)
	is(t, err, store.ErrNotFound)
	_, err = sessions.ByHash(ctx, s.Hash)
	is(t, err, store.ErrNotFound)
	zero := store.Session{ID: newID()}
	ok(t, sessions.Put(ctx, zero))
	same(t, must[store.Session](t)(sessions.Get(ctx, zero.ID)), zero)
}

func testSessionQueries(t *testing.T, v store.Volatile) {
	ctx := t.Context()
	a, b, c := session(), session(), session()
	b.UserID = a.UserID
	b.IdleAt = noon                                   // idle
	c.IdleAt, c.ExpiresAt = noon.Add(time.Hour), noon // over
	for _, s := range []store.Session{a, b, c} {
		ok(t, v.Sessions().Put(ctx, s))
	}
	list := func(q store.SessionQuery) []string {
		var ids []string
		for _, s := range must[[]store.Session](t)(v.Sessions().List(ctx, q)) {
			ids = append(ids, s.ID)
		}
		return ids
	}
	all := sorted(a.ID, b.ID, c.ID)
	same(t, list(store.SessionQuery{}), all)
	same(t, list(store.SessionQuery{After: all[0], Limit: 1}), all[1:2])
	same(t, list(store.SessionQuery{UserID: a.UserID}), sorted(a.ID, b.ID))
	same(t, list(store.SessionQuery{Expired: noon}), []string(nil))
	same(t, list(store.SessionQuery{Expired: noon.Add(tick)}), sorted(b.ID, c.ID))
	same(t, list(store.SessionQuery{Expired: noon.Add(tick), UserID: a.UserID}), []string{b.ID})
	ok(t, v.Sessions().Touch(ctx, b.ID, noon, noon.Add(time.Hour)))
	ok(t, v.Sessions().Touch(ctx, c.ID, noon, noon.Add(5*time.Hour)))
	same(t, list(store.SessionQuery{Expired: noon.Add(tick)}), []string{c.ID})
}

func testVolatileMalformed(t *testing.T, v store.Volatile) {
	ctx := t.Context()
	s := session()
	ok(t, v.Sessions().Put(ctx, s))
	for _, id := range []string{"", "x", s.ID + " "} {
		_, err := v.Sessions().Get(ctx, id)
		is(t, err, store.ErrNotFound)
		ok(t, v.Sessions().Touch(ctx, id, noon, noon))
		ok(t, v.Sessions().End(ctx, id))
		fault(t, v.Sessions().Put(ctx, store.Session{ID: id, Hash: random32()}))
	}
	same(t, len(must[[]store.Session](t)(v.Sessions().List(ctx, store.SessionQuery{UserID: "x"}))), 0)
	same(t, len(must[[]store.Session](t)(v.Sessions().List(ctx, store.SessionQuery{After: "x"}))), 0)
}

func testCounters(t *testing.T, v store.Volatile, swept sweeps) {
	ctx, counters := t.Context(), v.Counters()
	rate := store.Rate{Burst: 3, Every: time.Minute}
	take := func(key string, at time.Time) store.Allowance {
		t.Helper()
		return must[store.Allowance](t)(counters.Take(ctx, key, at, rate))
	}
	for left := range 3 {
		same(t, take("k", noon), store.Allowance{OK: true, Remaining: 2 - left, Reset: time.Duration(left+1) * time.Minute})
	}
	same(t, take("k", noon), store.Allowance{RetryAfter: time.Minute, Reset: 3 * time.Minute})
	same(t, take("K", noon).OK, true)
	same(t, take("k", noon.Add(time.Minute-tick)).OK, false)
	same(t, take("k", noon.Add(time.Minute)).OK, true)
	ok(t, counters.Refund(ctx, "k", noon.Add(time.Minute), rate))
	same(t, take("k", noon.Add(time.Minute)).OK, true)
	same(t, take("k", noon.Add(time.Minute)).OK, false)
	ok(t, counters.Reset(ctx, "k"))
	ok(t, counters.Reset(ctx, "k"))
	same(t, take("k", noon).Remaining, 2)
	for range 3 { // never beyond a full bucket
		ok(t, counters.Refund(ctx, "k", noon, rate))
		ok(t, counters.Refund(ctx, "unknown", noon, rate))
	}
	same(t, take("k", noon).Remaining, 2)
	same(t, must[store.Allowance](t)(counters.Take(ctx, "none", noon, store.Rate{})).OK, false)

	ok(t, counters.Reset(ctx, "K"))
	same(t, must[int](t)(counters.Sweep(ctx, noon.Add(time.Minute), 9)), 0)
	same(t, must[int](t)(counters.Sweep(ctx, noon.Add(time.Minute+tick), 0)), 0)
	same(t, must[int](t)(counters.Sweep(ctx, noon.Add(time.Minute+tick), 9)), int(swept))
}

func raceCounters(t *testing.T, v store.Volatile) {
	allowed := make([]bool, racers)
	rate := store.Rate{Burst: 7, Every: time.Hour}
	for _, err := range race(racers, func(i int) error {
		a, err := v.Counters().Take(t.Context(), "k", noon, rate)
		allowed[i] = a.OK
		return err
	}) {
		ok(t, err)
	}
	n := len(slices.DeleteFunc(allowed, func(b bool) bool { return !b }))
	same(t, n, 7)
}

// testCounterRates takes several rates at once: all or none.
func testCounterRates(t *testing.T, v store.Volatile, swept sweeps) {
	ctx, counters := t.Context(), v.Counters()
	quick, slow := store.Rate{Burst: 2, Every: time.Minute}, store.Rate{Burst: 3, Every: time.Hour}
	take := func(at time.Time) store.Allowance {
		t.Helper()
		return must[store.Allowance](t)(counters.Take(ctx, "k", at, quick, slow))
	}
	same(t, take(noon), store.Allowance{OK: true, Remaining: 1, Reset: time.Hour})
	same(t, take(noon), store.Allowance{OK: true, Remaining: 0, Reset: 2 * time.Hour})
	for range 9 { // what is refused by one is not taken from the other
		same(t, take(noon), store.Allowance{RetryAfter: time.Minute, Reset: 2 * time.Hour})
	}
	same(t, take(noon.Add(2*time.Minute)).OK, true)
	same(t, take(noon.Add(2*time.Minute)), store.Allowance{RetryAfter: 58 * time.Minute, Reset: 3*time.Hour - 2*time.Minute})
	ok(t, counters.Refund(ctx, "k", noon.Add(2*time.Minute), quick, slow))
	same(t, take(noon.Add(2*time.Minute)).OK, true)
	same(t, take(noon.Add(time.Hour)).OK, true)
	same(t, must[int](t)(counters.Sweep(ctx, noon.Add(4*time.Hour), 9)), 0) // the slower one is not full yet
	same(t, must[int](t)(counters.Sweep(ctx, noon.Add(4*time.Hour+tick), 9)), int(swept))
	if swept == 0 {
		ok(t, counters.Reset(ctx, "k"))
	}
	same(t, must[store.Allowance](t)(counters.Take(ctx, "k", noon)).OK, false) // no rate allows nothing
	same(t, must[store.Allowance](t)(counters.Take(ctx, "k", noon, quick, store.Rate{})).OK, false)
	same(t, take(noon).Remaining, 1)
	same(t, must[store.Allowance](t)(counters.Take(ctx, "k", noon, quick, slow, slow)).Remaining, 0) // one more rate
	same(t, must[store.Allowance](t)(counters.Take(ctx, "k", noon, quick)).OK, false)                // and fewer
	ok(t, counters.Reset(ctx, "k"))
	same(t, take(noon).Remaining, 1)
}

func raceCounterRates(t *testing.T, v store.Volatile) {
	allowed := make([]bool, racers)
	rates := []store.Rate{{Burst: 20, Every: time.Minute}, {Burst: 5, Every: time.Hour}, {Burst: 9, Every: 24 * time.Hour}}
	for _, err := range race(racers, func(i int) error {
		a, err := v.Counters().Take(t.Context(), "k", noon, rates...)
		allowed[i] = a.OK
		return err
	}) {
		ok(t, err)
	}
	n := len(slices.DeleteFunc(allowed, func(b bool) bool { return !b }))
	same(t, n, 5)
}

func testVolatileCancelled(t *testing.T, v store.Volatile) {
	ctx := cancelled(t)
	_, err := v.Sessions().Get(ctx, newID())
	is(t, err, context.Canceled)
	is(t, v.Sessions().Put(ctx, session()), context.Canceled)
	_, err = v.Counters().Take(ctx, "k", noon, store.Rate{Burst: 1, Every: time.Hour})
	is(t, err, context.Canceled)
	same(t, len(must[[]store.Session](t)(v.Sessions().List(t.Context(), store.SessionQuery{}))), 0)
	same(t, must[store.Allowance](t)(v.Counters().Take(t.Context(), "k", noon, store.Rate{Burst: 1, Every: time.Hour})).OK, true)
}
