package ostiary_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// signedIn is what somebody holds when a database is restored.
type signedIn struct {
	cookie  *client
	refresh string
	access  string
}

func (w *world) signIn(email string) signedIn {
	w.Helper()
	cookie := w.client()
	cookie.knock(email, "session")
	in := w.client().knock(email, "body").body
	return signedIn{cookie, in["refresh_token"].(string), in["access_token"].(string)}
}

func (s signedIn) want(w *world, cookie, access, refresh int) reply {
	w.Helper()
	if got := s.cookie.do("GET", "/api/v1/who", nil); got.StatusCode != cookie {
		w.Errorf("the cookie: got %d, want %d: %s", got.StatusCode, cookie, got.raw)
	}
	bearer := w.client()
	bearer.header.Set("Authorization", "Bearer "+s.access)
	if got := bearer.do("GET", "/api/v1/who", nil); got.StatusCode != access {
		w.Errorf("the access token: got %d, want %d: %s", got.StatusCode, access, got.raw)
	}
	got := w.client().do("POST", "/api/v1/refresh", map[string]any{"refresh_token": s.refresh})
	if got.StatusCode != refresh {
		w.Errorf("the refresh token: got %d, want %d: %s", got.StatusCode, refresh, got.raw)
	}
	return got
}

func (w *world) restored(keepSessions bool) {
	w.Helper()
	e, c := w.auth.Engine(ostiary.ActorCLI)
	if err := e.Restored(w.Context(), c, keepSessions); err != nil {
		w.Fatal(err)
	}
}

// other is a second engine on the store of w.
func (w *world) other(cfg ostiary.Config) *ostiary.Auth {
	w.Helper()
	auth, err := ostiary.New(w.Context(), cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { auth.Close() })
	return auth
}

// asks says how an engine answers somebody with an access token.
func asks(auth *ostiary.Auth, access string) int {
	r := httptest.NewRequest("GET", auth.Issuer()+"/api/v1/who", nil)
	r.Header.Set("Authorization", "Bearer "+access)
	answer := httptest.NewRecorder()
	auth.ServeHTTP(answer, r)
	return answer.Code
}

func TestR21_RestoredEndsEverything(t *testing.T) {
	t.Parallel()
	var same ostiary.Config
	first := newWorld(t, func(cfg *ostiary.Config) {
		cfg.InsecureNoRateLimits = true // it is asked until it knows
		same = *cfg
	})
	same.Methods = []ostiary.Method{&knock{}}
	ada, second := first.signIn("ada@example.com"), first.other(same)
	if got := asks(second, ada.access); got != 200 { // and the second node keeps its key, its person and the token
		t.Fatalf("got %d", got)
	}
	if err := first.store.Tickets().Put(t.Context(), store.Ticket{Kind: "reset", ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := first.store.Messages().Enqueue(t.Context(), store.Message{
		ID: "0193a000-0000-7000-8000-000000000001", At: time.Now().Add(time.Hour), ExpiresAt: time.Now().Add(2 * time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	before, key := head(t, first), signingKey(t, first)
	first.restored(false)

	ada.want(first, 401, 401, 401)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Second); asks(second, ada.access) != 401; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("the other node goes on with what it keeps (R23)")
		}
	}
	if after := head(t, first); after.Incarnation == before.Incarnation {
		t.Error("the log did not begin anew")
	}
	if got := signingKey(t, first); got == key {
		t.Error("the signing key is the old one")
	}
	if _, err := first.store.Tickets().Get(t.Context(), "reset", [32]byte{}); err == nil {
		t.Error("a ticket is still there")
	}
	if n, err := first.store.Messages().Count(t.Context()); n != 0 || err != nil {
		t.Errorf("%d mails wait, %v", n, err)
	}
	first.signIn("ada@example.com").want(first, 200, 200, 200)
	first.restored(false) // again, as after a failure
	first.signIn("ada@example.com").want(first, 200, 200, 200)
	if got := kinds(t, first, "store."); got != "store.restored store.restored" {
		t.Errorf("events: %q", got)
	}
}

func TestR21_KeptSessionsGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ada, bob := w.signIn("ada@example.com"), w.signIn("bob@example.com")
	list, err := w.store.Sessions().List(t.Context(), store.SessionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if r := bob.cookie.do("POST", "/api/v1/logout/all", nil); r.StatusCode != 204 {
		t.Fatal(r.raw)
	}
	for _, s := range list { // a session store that brings back what was ended
		if err := w.store.Sessions().Put(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	w.restored(true)
	ada.want(w, 200, 401, 200) // every signing key is another one
	bob.want(w, 401, 401, 401)
}

// TestR21_NobodyIsTakenForAThief goes back in time under people who went on, and neither theft nor the alarm of R12 is seen.
func TestR21_NobodyIsTakenForAThief(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ada := w.signIn("ada@example.com")
	copied, err := w.store.Grants().List(t.Context(), store.GrantQuery{Expired: time.Now().AddDate(10, 0, 0)})
	if err != nil || len(copied) != 1 {
		t.Fatal(copied, err)
	}
	for range 5 {
		w.clock.advance(time.Hour)
		ada.refresh = w.client().do("POST", "/api/v1/refresh", map[string]any{"refresh_token": ada.refresh}).body["refresh_token"].(string)
	}
	if _, err := w.store.Grants().End(t.Context(), store.GrantQuery{ID: copied[0].ID}); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Grants().Create(t.Context(), copied[0]); err != nil {
		t.Fatal(err)
	}
	w.restored(false)
	if got := ada.want(w, 401, 401, 401); got.code() != "token_revoked" {
		t.Errorf("got %s", got.raw)
	}
	if got := kinds(t, w, "store.rolled_back"); got != "" {
		t.Error("the alarm was raised for somebody who did nothing")
	}
	if got := kinds(t, w, "token."); got != "" {
		t.Errorf("events: %q", got)
	}
}

// TestR21_LaterSessionsAreNotMet: a session store that was not restored holds sessions of epochs that are to come again.
func TestR21_LaterSessionsAreNotMet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.signIn("ada@example.com")
	list, err := w.store.Sessions().List(t.Context(), store.SessionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	w.restored(false)
	for leap := range int64(3) {
		for _, s := range list {
			s.Epoch += leap
			if err := w.store.Sessions().Put(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		e, _ := w.auth.Engine(ostiary.ActorCLI)
		if live, err := e.Sessions(t.Context(), "", "", 0); err != nil || len(live) > 0 {
			t.Errorf("%d sessions of a later epoch live, %v", len(live), err)
		}
	}
}

func head(t *testing.T, w *world) store.Position {
	t.Helper()
	_, at, err := w.store.Log().After(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func signingKey(t *testing.T, w *world) string {
	t.Helper()
	e, _ := w.auth.Engine(ostiary.ActorCLI)
	list, err := e.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range list {
		if !time.Now().Before(k.Sign) {
			return k.ID
		}
	}
	return ""
}

func kinds(t *testing.T, w *world, prefix string) string {
	t.Helper()
	list, err := w.store.Events().List(t.Context(), store.EventQuery{Kind: prefix})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range list {
		found = append(found, e.Kind)
	}
	return strings.Join(found, " ")
}
