package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/store"
)

// people is how many sessions the requests are spread over.
const people = 64

// prepare signs people in, so that the load has cookies, bearer tokens and refresh families.
func prepare(ctx context.Context, auth *ostiary.Auth, keys *apikey.Part, h *hello) error {
	for i := range people {
		cookie, _, err := signIn(auth, i, store.DeliverSession)
		if err != nil {
			return err
		}
		h.Cookies = append(h.Cookies, cookie)
		_, tokens, err := signIn(auth, i, store.DeliverBody)
		if err != nil {
			return err
		}
		h.Bearers = append(h.Bearers, tokens.AccessToken)
		key, err := makeKey(ctx, auth, keys, tokens.User.ID)
		if err != nil {
			return err
		}
		h.Keys = append(h.Keys, key.Text)
		if i < families {
			h.Families = append(h.Families, tokens.RefreshToken)
		}
	}
	return nil
}

func makeKey(ctx context.Context, auth *ostiary.Auth, keys *apikey.Part, owner string) (k apikey.NewKey, err error) {
	e, c := auth.Engine("bench")
	err = e.Do(ctx, c, func(t *ostiary.Tx) error {
		k, err = keys.Create(ctx, t, owner, apikey.Wish{Name: "bench"})
		return err
	})
	return k, err
}

func signIn(auth *ostiary.Auth, i int, delivery store.Delivery) (cookie string, tokens ostiary.SignedInAnswer, err error) {
	body := fmt.Sprintf(`{"email":"user%d@example.com","delivery":%q}`, i, delivery)
	r := httptest.NewRequest("POST", auth.Issuer()+"/door", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	auth.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		return "", tokens, fmt.Errorf("sign in: %d %s", rec.Code, rec.Body)
	}
	for _, k := range rec.Result().Cookies() {
		if k.Name == "session" {
			cookie = k.Name + "=" + k.Value
		}
	}
	return cookie, tokens, json.Unmarshal(rec.Body.Bytes(), &tokens)
}

// requests measures protected routes against the bare handler.
func requests(s settings) error {
	w, err := startChild()
	if err != nil {
		return err
	}
	defer w.close()
	bare, session := &series{name: "bare net/http handler"}, &series{name: "session cookie, cached"}
	long := &series{name: "bare handler, the same request with a token of 900 bytes"}
	uncached, bearer := &series{name: "session cookie, read from SQLite each time"}, &series{name: "bearer token"}
	key := &series{name: "API key"}
	asked, remembered := &series{name: "session cookie, read from Redis each time"}, &series{name: "session cookie, client-side cache of Redis"}
	for range s.rounds {
		for _, m := range []struct {
			into *series
			addr string
			raw  func(i int) []byte
		}{
			{bare, w.Bare, func(int) []byte { return get(w.Bare, "/protected") }},
			{long, w.Bare, func(i int) []byte { return get(w.Bare, "/protected", "Authorization: Bearer "+w.Bearers[i%people]) }},
			{session, w.Engine, func(i int) []byte { return get(w.Engine, "/protected", "Cookie: "+w.Cookies[i%people]) }},
			{bearer, w.Engine, func(i int) []byte { return get(w.Engine, "/protected", "Authorization: Bearer "+w.Bearers[i%people]) }},
			{key, w.Engine, func(i int) []byte { return get(w.Engine, "/protected", "X-API-Key: "+w.Keys[i%people]) }},
			{uncached, w.Uncached, func(i int) []byte { return get(w.Uncached, "/protected", "Cookie: "+w.Cookies[i%people]) }},
			{asked, w.Redis, func(i int) []byte { return get(w.Redis, "/protected", "Cookie: "+w.RedisCookies[i%people]) }},
			{remembered, w.RedisCached, func(i int) []byte { return get(w.RedisCached, "/protected", "Cookie: "+w.RedisCookies[i%people]) }},
		} {
			if m.addr == "" {
				continue
			}
			got, err := chains(m.addr, s.conns, s.each, func(i int) step {
				raw := m.raw(i)
				return func(c *conn) error { return expect(c, raw, http.StatusOK) }
			})
			if err != nil {
				return fmt.Errorf("%s: %w", m.into.name, err)
			}
			m.into.add(got)
		}
	}
	rows := []*series{bare, long, session, bearer, key, uncached}
	if w.Redis != "" {
		rows = append(rows, asked, remembered)
	}
	printRatios("requests/s", map[string]float64{
		session.name: 0.80, bearer.name: 0.85, key.name: 0.80, uncached.name: 0.38, asked.name: 0.50, remembered.name: 0.80,
	}, rows...)
	if w.Redis == "" {
		fmt.Println("\nSessions in Redis: not measured, there is no redis-server.")
	}
	return nil
}

func expect(c *conn, raw []byte, want int) error {
	status, body, err := c.roundTrip(raw)
	if err == nil && status != want {
		err = fmt.Errorf("got %d, want %d: %s", status, want, body)
	}
	return err
}
