package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

func grant(u store.User) store.Grant {
	return store.Grant{
		ID: newID(), Handle: random16(), UserID: u.ID, SessionID: newID(), ClientID: store.FirstParty, Scope: "a b",
		Delivery: store.DeliverSplit, Epoch: u.Epoch, Generation: 1, RotatedAt: noon, ExpiresAt: noon.Add(time.Hour),
		EndsAt: noon.Add(2 * time.Hour), Binding: []byte{9}, CreatedAt: noon,
	}
}

func someone(t *testing.T, s store.Store) store.User {
	t.Helper()
	u := person()
	ok(t, s.Users().Create(t.Context(), u))
	return u
}

func testGrants(t *testing.T, s store.Store) {
	ctx := t.Context()
	u := someone(t, s)
	for _, d := range []store.Delivery{store.DeliverSplit, store.DeliverCookies, store.DeliverBody, store.DeliverSession, ""} {
		g := grant(u)
		g.Delivery, g.Recovered, g.Generation = d, 5, 7
		ok(t, s.Grants().Create(ctx, g))
		same(t, must[store.Grant](t)(s.Grants().Get(ctx, g.ID)), g)
		is(t, s.Grants().Create(ctx, g), store.ErrConflict)
	}
	machine := store.Grant{ID: newID(), ClientID: "machine", Binding: []byte{}}
	ok(t, s.Grants().Create(ctx, machine))
	machine.Binding = nil
	same(t, must[store.Grant](t)(s.Grants().Get(ctx, machine.ID)), machine)
	_, err := s.Grants().Get(ctx, newID())
	is(t, err, store.ErrNotFound)
}

func testGrantQueries(t *testing.T, s store.Store) {
	ctx, u, v := t.Context(), person(), person()
	a, b, c, m := grant(u), grant(u), grant(v), grant(store.User{})
	b.ClientID, b.SessionID, b.ExpiresAt = "client", "", noon.Add(time.Minute)
	c.SessionID = a.SessionID // of no meaning for the store
	m.ClientID, m.SessionID = "client", ""
	for _, g := range []store.Grant{a, b, c, m} {
		ok(t, s.Grants().Create(ctx, g))
	}
	all := ids(a, b, c, m)
	for name, q := range map[string]struct {
		query store.GrantQuery
		want  []string
	}{
		"id":                    {store.GrantQuery{ID: a.ID}, ids(a)},
		"user":                  {store.GrantQuery{UserID: u.ID}, ids(a, b)},
		"session":               {store.GrantQuery{SessionID: a.SessionID}, ids(a, c)},
		"first party":           {store.GrantQuery{ClientID: store.FirstParty}, ids(a, c)},
		"client":                {store.GrantQuery{ClientID: "client"}, ids(b, m)},
		"case of a client":      {store.GrantQuery{ClientID: "Client"}, nil},
		"user and client":       {store.GrantQuery{UserID: u.ID, ClientID: "client"}, ids(b)},
		"all but a session":     {store.GrantQuery{UserID: u.ID, Except: a.SessionID}, ids(b)},
		"except no id":          {store.GrantQuery{UserID: u.ID, Except: "x"}, ids(a, b)},
		"expires at the moment": {store.GrantQuery{Expired: noon.Add(time.Minute)}, nil},
		"expired a tick ago":    {store.GrantQuery{Expired: noon.Add(time.Minute + tick)}, ids(b)},
		"limit":                 {store.GrantQuery{Expired: noon.Add(time.Hour + tick), Limit: 2}, all[:2]},
		"nobody":                {store.GrantQuery{UserID: newID()}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			same(t, ids(must[[]store.Grant](t)(s.Grants().List(ctx, q.query))...), q.want)
		})
	}
	for _, everything := range []store.GrantQuery{{}, {Limit: 1}, {Except: a.SessionID}} {
		_, err := s.Grants().List(ctx, everything)
		fault(t, err)
		_, err = s.Grants().End(ctx, everything)
		fault(t, err)
	}
	end := must[int](t)
	same(t, end(s.Grants().End(ctx, store.GrantQuery{UserID: u.ID, Except: a.SessionID})), 1)
	same(t, end(s.Grants().End(ctx, store.GrantQuery{SessionID: a.SessionID, Limit: 1})), 1)
	same(t, end(s.Grants().End(ctx, store.GrantQuery{SessionID: a.SessionID})), 1)
	same(t, end(s.Grants().End(ctx, store.GrantQuery{SessionID: a.SessionID})), 0)
	same(t, ids(must[[]store.Grant](t)(s.Grants().List(ctx, store.GrantQuery{ClientID: "client"}))...), ids(m))
}

func ids(grants ...store.Grant) []string {
	var out []string
	for _, g := range grants {
		out = append(out, g.ID)
	}
	slices.Sort(out)
	return out
}

func testRotate(t *testing.T, s store.Store) {
	ctx := t.Context()
	u := someone(t, s)
	g := grant(u)
	ok(t, s.Grants().Create(ctx, g))
	r := store.Rotation{ID: g.ID, From: 1, At: noon.Add(time.Minute), ExpiresAt: noon.Add(3 * time.Hour)}
	ok(t, s.Grants().Rotate(ctx, r))
	g.Generation, g.RotatedAt, g.ExpiresAt = 2, r.At, r.ExpiresAt
	same(t, must[store.Grant](t)(s.Grants().Get(ctx, g.ID)), g)
	is(t, s.Grants().Rotate(ctx, r), store.ErrConflict)
	r.From = 3
	is(t, s.Grants().Rotate(ctx, r), store.ErrConflict)
	is(t, s.Grants().Rotate(ctx, store.Rotation{ID: newID(), From: 1}), store.ErrNotFound)

	machine := grant(store.User{})
	ok(t, s.Grants().Create(ctx, machine))
	ok(t, s.Grants().Rotate(ctx, store.Rotation{ID: machine.ID, From: 1}))
	orphan := grant(person())
	ok(t, s.Grants().Create(ctx, orphan))
	is(t, s.Grants().Rotate(ctx, store.Rotation{ID: orphan.ID, From: 1}), store.ErrNotFound)

	u.Epoch++ // R11: the grant is dead from this commit on
	ok(t, s.Users().Update(ctx, u))
	r.From = 2
	is(t, s.Grants().Rotate(ctx, r), store.ErrNotFound)
	r.From = 1
	is(t, s.Grants().Rotate(ctx, r), store.ErrNotFound)
	same(t, must[store.Grant](t)(s.Grants().Get(ctx, g.ID)), g)
}

func testRecover(t *testing.T, s store.Store) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		generation, recovered, ask int64
		want                       error
	}{
		"first time":              {5, 0, 5, nil},
		"another generation":      {5, 0, 4, store.ErrConflict},
		"again":                   {5, 5, 5, store.ErrConflict},
		"one after the last":      {6, 5, 6, store.ErrConflict},
		"a generation in between": {7, 5, 7, nil},
		"the first rotation":      {2, 0, 2, nil},
		"never rotated":           {1, 0, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := grant(store.User{})
			g.Generation, g.Recovered = c.generation, c.recovered
			ok(t, s.Grants().Create(ctx, g))
			is(t, s.Grants().Recover(ctx, g.ID, c.ask), c.want)
			if c.want == nil {
				g.Recovered = c.ask
			}
			same(t, must[store.Grant](t)(s.Grants().Get(ctx, g.ID)), g)
		})
	}
	is(t, s.Grants().Recover(ctx, newID(), 1), store.ErrConflict)
}

func raceRotate(t *testing.T, s store.Store) {
	g := grant(someone(t, s))
	ok(t, s.Grants().Create(t.Context(), g))
	for from := int64(1); from < 4; from++ {
		oneWinner(t, race(racers, func(int) error {
			return s.Grants().Rotate(t.Context(), store.Rotation{ID: g.ID, From: from, At: noon, ExpiresAt: noon})
		}), store.ErrConflict)
	}
	same(t, must[store.Grant](t)(s.Grants().Get(t.Context(), g.ID)).Generation, int64(4))
}

func raceRecover(t *testing.T, s store.Store) {
	g := grant(store.User{})
	g.Generation = 2
	ok(t, s.Grants().Create(t.Context(), g))
	oneWinner(t, race(racers, func(int) error { return s.Grants().Recover(t.Context(), g.ID, 2) }), store.ErrConflict)
}

func testMalformedIDs(t *testing.T, s store.Store) {
	u := someone(t, s)
	g := grant(u)
	ok(t, s.Grants().Create(t.Context(), g))
	for _, id := range []string{
		"", "x", "cli", strings.ToUpper(u.ID), u.ID + "0", u.ID[:35], "{" + u.ID + "}", strings.ReplaceAll(u.ID, "-", ""),
		strings.Replace(u.ID, "-", "_", 1), u.ID[:35] + "g", strings.Repeat("a", 100_000), "' OR 1=1 --", "\x00",
	} {
		malformed(t, s, id)
	}
	same(t, must[store.User](t)(s.Users().Get(t.Context(), u.ID)), u)
	same(t, must[store.Grant](t)(s.Grants().Get(t.Context(), g.ID)), g)
}

func malformed(t *testing.T, s store.Store, id string) {
	ctx := t.Context()
	_, err := s.Users().Get(ctx, id)
	is(t, err, store.ErrNotFound)
	is(t, s.Users().Update(ctx, store.User{ID: id, Version: 1}), store.ErrNotFound)
	ok(t, s.Users().Delete(ctx, id))
	same(t, len(must[[]store.Credential](t)(s.Credentials().Of(ctx, id))), 0)
	is(t, s.Credentials().Update(ctx, store.Credential{ID: id, Version: 1}), store.ErrNotFound)
	ok(t, s.Credentials().Delete(ctx, id, 3))
	ok(t, s.Credentials().DeleteOf(ctx, id))
	_, err = s.Grants().Get(ctx, id)
	is(t, err, store.ErrNotFound)
	is(t, s.Grants().Rotate(ctx, store.Rotation{ID: id, From: 1}), store.ErrNotFound)
	is(t, s.Grants().Recover(ctx, id, 1), store.ErrConflict)
	if id != "" {
		for _, q := range []store.GrantQuery{{ID: id}, {UserID: id}, {SessionID: id}} {
			same(t, len(must[[]store.Grant](t)(s.Grants().List(ctx, q))), 0)
			same(t, must[int](t)(s.Grants().End(ctx, q)), 0)
		}
		same(t, len(must[[]store.Event](t)(s.Events().List(ctx, store.EventQuery{Subject: id}))), 0)
		fault(t, s.Tickets().Put(ctx, store.Ticket{UserID: id}))
		fault(t, s.Events().Record(ctx, store.Event{ID: newID(), Subject: id}))
	}
	ok(t, s.Tickets().DeleteOf(ctx, id, ""))
	ok(t, s.Events().Erase(ctx, id))
	ok(t, s.Messages().Delay(ctx, id, noon))
	ok(t, s.Messages().Done(ctx, id))
	fault(t, s.Users().Create(ctx, store.User{ID: id}))
	fault(t, s.Credentials().Create(ctx, store.Credential{ID: id}))
	fault(t, s.Grants().Create(ctx, store.Grant{ID: id}))
	fault(t, s.Messages().Enqueue(ctx, store.Message{ID: id}))
	fault(t, s.Events().Record(ctx, store.Event{ID: id}))
}
