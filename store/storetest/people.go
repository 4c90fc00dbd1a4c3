package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
)

func person() store.User {
	id := newID()
	return store.User{
		ID: id, Email: "Ada." + id + "@Example.org", EmailNormal: "ada." + id + "@example.org", EmailVerified: true,
		Name: "Ada Lövelace", Picture: "https://example.org/a.png", Locale: "en-GB", Roles: []string{"admin", "staff"},
		Status: store.Active, Epoch: 3, Version: 1, CreatedAt: noon, UpdatedAt: noon.Add(tick),
	}
}

func testUsers(t *testing.T, s store.Store) {
	ctx, users := t.Context(), s.Users()
	u := person()
	u.Version = 9 // not the caller's business
	ok(t, users.Create(ctx, u))
	u.Version = 1
	same(t, must[store.User](t)(users.Get(ctx, u.ID)), u)
	same(t, must[store.User](t)(users.ByEmail(ctx, u.EmailNormal)), u)
	is(t, users.Create(ctx, u), store.ErrConflict)

	u.Name, u.Roles, u.Epoch, u.Status, u.EmailVerified = "Ada K", []string{}, 4, store.Disabled, false
	ok(t, users.Update(ctx, u))
	is(t, users.Update(ctx, u), store.ErrConflict) // the version moved
	u.Version, u.Roles = 2, nil
	same(t, must[store.User](t)(users.Get(ctx, u.ID)), u)

	missing := person()
	missing.EmailNormal = u.EmailNormal
	is(t, users.Update(ctx, missing), store.ErrNotFound)
	ok(t, users.Delete(ctx, u.ID))
	ok(t, users.Delete(ctx, u.ID))
	_, err := users.Get(ctx, u.ID)
	is(t, err, store.ErrNotFound)
	_, err = users.ByEmail(ctx, u.EmailNormal)
	is(t, err, store.ErrNotFound)
	ok(t, users.Create(ctx, u)) // the address is free again
	fault(t, users.Create(ctx, store.User{ID: "ada"}))

	zero := store.User{ID: newID()}
	ok(t, users.Create(ctx, zero))
	zero.Version = 1
	got := must[store.User](t)(users.Get(ctx, zero.ID))
	same(t, got, zero)
	if !got.CreatedAt.IsZero() {
		t.Errorf("the zero time came back as %v", got.CreatedAt)
	}
	fine := person()
	fine.CreatedAt = noon.Add(999 * time.Nanosecond).In(time.FixedZone("", 3600))
	ok(t, users.Create(ctx, fine))
	same(t, must[store.User](t)(users.Get(ctx, fine.ID)).CreatedAt, noon)
}

func testUserAddresses(t *testing.T, s store.Store) {
	ctx, users := t.Context(), s.Users()
	addresses := []string{"a@x", "A@x", "ä@x", "a\u0308@x", "ß@x", "ss@x", "a@x ", "ａ@x", "ı@x", "i@x", "a%@x", "a_@x", "e\x00@x", "e@x"}
	for _, a := range addresses { // bytes decide, never a collation
		u := person()
		u.EmailNormal, u.Name = a, a
		ok(t, users.Create(ctx, u))
		u.ID = newID()
		is(t, users.Create(ctx, u), store.ErrConflict)
	}
	for _, a := range addresses {
		u := must[store.User](t)(users.ByEmail(ctx, a))
		same(t, []string{u.EmailNormal, u.Name}, []string{a, a})
	}
	for range 2 { // without an address nothing is unique
		u := person()
		u.Email, u.EmailNormal = "", ""
		ok(t, users.Create(ctx, u))
	}
	_, err := users.ByEmail(ctx, "")
	is(t, err, store.ErrNotFound)

	u := person()
	ok(t, users.Create(ctx, u))
	free := u.EmailNormal
	u.EmailNormal = "ä@x"
	is(t, users.Update(ctx, u), store.ErrConflict)
	u.EmailNormal = ""
	ok(t, users.Update(ctx, u))
	other := person()
	other.EmailNormal = free
	ok(t, users.Create(ctx, other))
}

func testUserList(t *testing.T, s store.Store) {
	ctx := t.Context()
	same(t, must[[]store.User](t)(s.Users().List(ctx, store.UserQuery{})), []store.User(nil))
	var ids []string
	for i := range 5 {
		u := person()
		u.Name, u.EmailNormal, u.Roles = "Person ÄB "+string(rune('0'+i)), string(rune('0'+i))+"%_\\@example.org", nil
		if i%2 == 0 {
			u.Roles = []string{"editor", `we"ird`}
		}
		if i == 4 {
			u.Status = store.Disabled
		}
		ok(t, s.Users().Create(ctx, u))
		ids = append(ids, u.ID)
	}
	byNumber := slices.Clone(ids)
	slices.Sort(ids)
	for name, c := range map[string]struct {
		query store.UserQuery
		want  []string
	}{
		"everybody":            {store.UserQuery{}, ids},
		"limit":                {store.UserQuery{Limit: 2}, ids[:2]},
		"limit out of range":   {store.UserQuery{Limit: 5000}, ids},
		"after":                {store.UserQuery{After: ids[1]}, ids[2:]},
		"after and limit":      {store.UserQuery{After: ids[1], Limit: 1}, ids[2:3]},
		"after the last":       {store.UserQuery{After: ids[4]}, nil},
		"after no id":          {store.UserQuery{After: "a"}, nil},
		"role":                 {store.UserQuery{Role: `we"ird`}, sorted(byNumber[0], byNumber[2], byNumber[4])},
		"part of a role":       {store.UserQuery{Role: "edit"}, nil},
		"case of a role":       {store.UserQuery{Role: "Editor"}, nil},
		"status":               {store.UserQuery{Status: store.Disabled}, byNumber[4:]},
		"role and status":      {store.UserQuery{Role: "editor", Status: store.Active}, sorted(byNumber[0], byNumber[2])},
		"address":              {store.UserQuery{Search: "3%_\\@"}, byNumber[3:4]},
		"no wildcard":          {store.UserQuery{Search: "%2"}, nil},
		"case of an address":   {store.UserQuery{Search: "@EXAMPLE"}, nil},
		"name, any ASCII case": {store.UserQuery{Search: "pERSON Äb 1"}, byNumber[1:2]},
		"name, other case":     {store.UserQuery{Search: "äB 1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, u := range must[[]store.User](t)(s.Users().List(ctx, c.query)) {
				got = append(got, u.ID)
			}
			same(t, got, c.want)
		})
	}
	u := must[store.User](t)(s.Users().Get(ctx, byNumber[0]))
	u.Roles = []string{"reader"}
	ok(t, s.Users().Update(ctx, u))
	same(t, len(must[[]store.User](t)(s.Users().List(ctx, store.UserQuery{Role: "editor"}))), 2)
	same(t, len(must[[]store.User](t)(s.Users().List(ctx, store.UserQuery{Role: "reader"}))), 1)
	ok(t, s.Users().Delete(ctx, u.ID))
	same(t, len(must[[]store.User](t)(s.Users().List(ctx, store.UserQuery{Role: "reader"}))), 0)
}

func sorted(ids ...string) []string {
	slices.Sort(ids)
	return ids
}

func credential(userID string) store.Credential {
	return store.Credential{
		ID: newID(), UserID: userID, Method: "password", Lookup: newID(), Factor: true, Data: []byte{0, 1, 2}, Version: 1,
		CreatedAt: noon,
	}
}

func testCredentials(t *testing.T, s store.Store) {
	ctx, creds := t.Context(), s.Credentials()
	user := newID()
	a, b, other := credential(user), credential(user), credential(newID())
	b.Method, b.Lookup, b.Factor, b.Data = "totp", a.Lookup, false, []byte{}
	for _, c := range []store.Credential{a, b, other} {
		c.Version = 7
		ok(t, creds.Create(ctx, c))
	}
	b.Data = nil
	is(t, creds.Create(ctx, a), store.ErrConflict)
	taken := credential(user)
	taken.Lookup = a.Lookup
	is(t, creds.Create(ctx, taken), store.ErrConflict)
	for _, lookup := range []string{strings.ToUpper(a.Lookup), a.Lookup + " ", ""} {
		taken.Lookup = lookup
		_, err := creds.ByLookup(ctx, taken.Method, lookup)
		is(t, err, store.ErrNotFound)
	}
	same(t, must[store.Credential](t)(creds.ByLookup(ctx, "password", a.Lookup)), a)
	same(t, must[store.Credential](t)(creds.ByLookup(ctx, "totp", b.Lookup)), b)
	want := []store.Credential{a, b}
	slices.SortFunc(want, func(x, y store.Credential) int { return strings.Compare(x.ID, y.ID) })
	same(t, must[[]store.Credential](t)(creds.Of(ctx, user)), want)
	same(t, must[[]store.Credential](t)(creds.Of(ctx, newID())), []store.Credential(nil))

	a.Data, a.Lookup = []byte("new"), "ne\x00w"
	ok(t, creds.Update(ctx, a))
	is(t, creds.Update(ctx, a), store.ErrConflict)
	a.Version = 2
	same(t, must[store.Credential](t)(creds.ByLookup(ctx, "password", "ne\x00w")), a)
	is(t, creds.Update(ctx, credential(user)), store.ErrNotFound)
	stolen := other
	stolen.Lookup = a.Lookup
	is(t, creds.Update(ctx, stolen), store.ErrConflict)

	is(t, creds.Delete(ctx, a.ID, 1), store.ErrConflict)
	ok(t, creds.Delete(ctx, a.ID, 2))
	ok(t, creds.Delete(ctx, a.ID, 2))
	ok(t, creds.Delete(ctx, b.ID, 0))
	ok(t, creds.DeleteOf(ctx, user))
	ok(t, creds.DeleteOf(ctx, ""))
	same(t, must[[]store.Credential](t)(creds.Of(ctx, other.UserID)), []store.Credential{other})
	ok(t, creds.DeleteOf(ctx, other.UserID))
	same(t, len(must[[]store.Credential](t)(creds.Of(ctx, other.UserID))), 0)
}
