package redis_test

import (
	"crypto/rand"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
	"github.com/ostiary/ostiary/store/redis"
)

func session() store.Session {
	now := time.Now()
	s := store.Session{
		ID: dbtest.ID(), UserID: dbtest.ID(), Epoch: 1, AMR: []string{"pwd"}, AuthAt: now, CreatedAt: now, LastSeenAt: now,
		IdleAt: now.Add(time.Hour), ExpiresAt: now.Add(2 * time.Hour), UserAgent: "test",
	}
	rand.Read(s.Hash[:]) // never fails
	return s
}

func put(t testing.TB, s store.Volatile, r store.Session) {
	t.Helper()
	if err := s.Sessions().Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func keysOf(t *testing.T, server *dbtest.Server, prefix string) []string {
	t.Helper()
	return strings.Fields(dbtest.RedisCLI(t, server.Address(), "KEYS", prefix+"*"))
}

func TestEverythingVanishes(t *testing.T) {
	t.Parallel()
	server := servers.Server(t)
	s := open(t, redis.Config{URL: server.SocketURL(), Prefix: "vanish:"})
	r := session()
	put(t, s, r)
	if err := s.Sessions().Touch(t.Context(), r.ID, time.Now(), r.IdleAt.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Counters().Take(t.Context(), "k", time.Now(), store.Rate{Burst: 1, Every: time.Minute}); err != nil {
		t.Fatal(err)
	}
	keys := keysOf(t, server, "vanish:")
	if len(keys) != 5 {
		t.Errorf("keys are %q, want five", keys)
	}
	for _, key := range keys {
		ms, err := strconv.ParseInt(dbtest.RedisCLI(t, server.Address(), "PTTL", key), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if index := strings.HasPrefix(key, "vanish:x:"); index != (ms == -1) || ms > (8*24*time.Hour).Milliseconds() {
			t.Errorf("%s stays for %d ms", key, ms)
		}
	}
	if err := s.Sessions().End(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Counters().Reset(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if keys := keysOf(t, server, "vanish:"); len(keys) != 0 {
		t.Errorf("keys %q are left", keys)
	}
}

// TestOneCookieValueIsLeft: of renewals that run at once only one hash leads to the session.
func TestOneCookieValueIsLeft(t *testing.T) {
	t.Parallel()
	server := servers.Server(t)
	for _, ttl := range []time.Duration{0, cacheTTL} {
		s := open(t, redis.Config{URL: server.SocketURL(), CacheTTL: ttl})
		r := session()
		put(t, s, r)
		hashes := [][32]byte{r.Hash}
		var group sync.WaitGroup
		for range 16 {
			renewed := r
			rand.Read(renewed.Hash[:])
			hashes = append(hashes, renewed.Hash)
			group.Go(func() { put(t, s, renewed) })
		}
		group.Wait()
		alive := 0
		for _, h := range hashes {
			if _, err := s.Sessions().ByHash(t.Context(), h); err == nil {
				alive++
			}
		}
		if _, err := s.Sessions().Get(t.Context(), r.ID); err != nil || alive != 1 {
			t.Errorf("%d cookie values are left, want 1; the session: %v", alive, err)
		}
	}
}

func TestSetsAreMended(t *testing.T) {
	t.Parallel()
	server := servers.Server(t)
	s := open(t, redis.Config{URL: server.SocketURL(), Prefix: "mend:"})
	r := session()
	put(t, s, r)
	for _, key := range keysOf(t, server, "mend:s:") {
		dbtest.RedisCLI(t, server.Address(), "DEL", key)
	}
	for _, q := range []store.SessionQuery{{UserID: r.UserID}, {Expired: r.ExpiresAt.Add(time.Hour), Limit: 9}} {
		if list, err := s.Sessions().List(t.Context(), q); err != nil || len(list) != 0 {
			t.Errorf("list is %v, %v", list, err)
		}
	}
	for _, set := range []string{"mend:u:", "mend:x:"} {
		if keys := keysOf(t, server, set); len(keys) != 0 {
			t.Errorf("%q are left", keys)
		}
	}
}

// TestSweepIsBounded: more sessions are over than a sweep takes at once, and all go.
func TestSweepIsBounded(t *testing.T) {
	t.Parallel()
	s := open(t, redis.Config{URL: servers.Server(t).SocketURL()})
	var group sync.WaitGroup
	for range 250 {
		group.Go(func() { put(t, s, session()) })
	}
	group.Wait()
	swept := 0
	for {
		list, err := s.Sessions().List(t.Context(), store.SessionQuery{Expired: time.Now().Add(90 * time.Minute), Limit: 60})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if err := s.Sessions().End(t.Context(), r.ID); err != nil {
				t.Fatal(err)
			}
		}
		if swept += len(list); len(list) < 60 {
			break
		}
	}
	if swept != 250 {
		t.Errorf("%d sessions were swept, want 250", swept)
	}
}

// TestCountersAgree holds the script to the arithmetic of package store by whatever the memory store answers.
func TestCountersAgree(t *testing.T) {
	t.Parallel()
	ours, theirs := open(t, redis.Config{URL: servers.Server(t).SocketURL()}).Counters(), memory.New().Counters()
	rates := []store.Rate{
		{Burst: 3, Every: time.Second}, {Burst: 5, Every: 1500 * time.Nanosecond}, {Burst: 10, Every: 7 * time.Hour}, {Burst: 2, Every: time.Second / 3}, {},
	}
	var seed [1]byte
	dice := func(n int) int { rand.Read(seed[:]); return int(seed[0]) % n }
	now := time.Now()
	for range 3000 {
		key := strconv.Itoa(dice(4))
		used := rates[dice(2) : 2+dice(3)]
		if dice(20) == 0 {
			used = rates[dice(4):]
		}
		now = now.Add([]time.Duration{0, 1, 999, time.Microsecond, time.Millisecond, time.Second, time.Minute}[dice(7)])
		if dice(4) == 0 {
			if err := ours.Refund(t.Context(), key, now, used...); err != nil {
				t.Fatal(err)
			}
			if err := theirs.Refund(t.Context(), key, now, used...); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := ours.Take(t.Context(), key, now, used...)
		if err != nil {
			t.Fatal(err)
		}
		want, err := theirs.Take(t.Context(), key, now, used...)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%v at %v: got %+v, want %+v", used, now, got, want)
		}
	}
}
