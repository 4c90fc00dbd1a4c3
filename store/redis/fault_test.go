package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/redis"
)

// patience is the timeout of a store under test; a verb may need a second one where a connection is made.
const patience = time.Second

// verbs are one of each kind.
func verbs(s *redis.Store, r store.Session) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"ping": s.Ping,
		"put":  func(ctx context.Context) error { return s.Sessions().Put(ctx, r) },
		"get": func(ctx context.Context) error {
			_, err := s.Sessions().Get(ctx, r.ID)
			return err
		},
		"by hash": func(ctx context.Context) error {
			_, err := s.Sessions().ByHash(ctx, r.Hash)
			return err
		},
		"list": func(ctx context.Context) error {
			_, err := s.Sessions().List(ctx, store.SessionQuery{UserID: r.UserID})
			return err
		},
		"end": func(ctx context.Context) error { return s.Sessions().End(ctx, r.ID) },
		"take": func(ctx context.Context) error {
			_, err := s.Counters().Take(ctx, "k", time.Now(), store.Rate{Burst: 1, Every: time.Hour})
			return err
		},
	}
}

func wantFaults(t *testing.T, s *redis.Store) {
	t.Helper()
	for name, call := range verbs(s, session()) {
		began := time.Now()
		err := call(t.Context())
		if took := time.Since(began); err == nil || took > 2*patience {
			t.Errorf("%s: %v after %s, want an error in time", name, err, took)
		}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: a fault became a decision: %v", name, err)
		}
	}
}

func wantRecovery(t *testing.T, s *redis.Store) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		r := session()
		err := s.Sessions().Put(t.Context(), r)
		if err == nil {
			_, err = s.Sessions().ByHash(t.Context(), r.Hash)
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the store does not recover: %v", err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestLost(t *testing.T) {
	t.Parallel()
	for mode, ttl := range map[string]time.Duration{"asked each time": 0, "client cache": cacheTTL} {
		t.Run("nothing comes back, "+mode, func(t *testing.T) {
			t.Parallel()
			p := dbtest.NewProxy(t, servers.Server(t).Address())
			s := open(t, redis.Config{URL: "redis://" + p.Address, Timeout: patience, CacheTTL: ttl})
			wantRecovery(t, s)
			p.Swallow()
			wantFaults(t, s)
			p.Pass()
			wantRecovery(t, s)
		})
		t.Run("killed and started again, "+mode, func(t *testing.T) {
			t.Parallel()
			server := servers.Another(t)
			s := open(t, redis.Config{URL: server.SocketURL(), Timeout: patience, CacheTTL: ttl})
			wantRecovery(t, s)
			server.Kill()
			wantFaults(t, s)
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			wantRecovery(t, s)
		})
	}
}

// TestWarmNode: an answer that is cached costs no round trip, and another node's change is seen at once.
func TestWarmNode(t *testing.T) {
	t.Parallel()
	server := servers.Another(t)
	one := open(t, redis.Config{URL: server.SocketURL(), Prefix: "p:"})
	two := open(t, redis.Config{URL: server.SocketURL(), Prefix: "p:", CacheTTL: cacheTTL})
	alive := func(r store.Session) bool {
		_, err := two.Sessions().ByHash(t.Context(), r.Hash)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	commands := func() int {
		text := dbtest.RedisCLI(t, server.Address(), "INFO", "stats")
		_, rest, _ := strings.Cut(text, "total_commands_processed:")
		n, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var delays []time.Duration
	until := func(r store.Session, want bool) {
		began := time.Now()
		for alive(r) != want {
			if time.Since(began) > 5*time.Second {
				t.Fatal("the change is not seen")
			}
		}
		delays = append(delays, time.Since(began))
	}
	for range 200 {
		r := session()
		if alive(r) { // from now on its absence is cached
			t.Fatal("a session out of nothing")
		}
		put(t, one, r)
		until(r, true)
		if err := one.Sessions().End(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		until(r, false)
	}
	slices.Sort(delays)
	p99 := delays[len(delays)*99/100]
	t.Logf("another node's change is seen after %s (p50), %s (p99)", delays[len(delays)/2], p99)
	if p99 > 100*time.Millisecond {
		t.Errorf("p99 is %s", p99)
	}
	r := session()
	put(t, one, r)
	until(r, true)
	before := commands()
	for range 1000 {
		alive(r)
	}
	if n := commands() - before; n > 50 {
		t.Errorf("1000 checks of a known session made %d commands", n)
	}
}

// TestCutConnectionDropsTheCache: what the server could not tell is not believed any longer.
func TestCutConnectionDropsTheCache(t *testing.T) {
	t.Parallel()
	server := servers.Server(t)
	p := dbtest.NewProxy(t, server.Address())
	one := open(t, redis.Config{URL: server.SocketURL(), Prefix: "cut:"})
	two := open(t, redis.Config{URL: "redis://" + p.Address, Prefix: "cut:", CacheTTL: cacheTTL, Timeout: patience})
	r := session()
	put(t, one, r)
	if _, err := two.Sessions().ByHash(t.Context(), r.Hash); err != nil {
		t.Fatal(err)
	}
	p.Swallow()
	if err := one.Sessions().End(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(3*time.Second + patience) // a probe each second, which has the timeout
	for {
		if _, err := two.Sessions().ByHash(t.Context(), r.Hash); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a node that is cut off goes on with what it knew")
		}
		<-time.After(10 * time.Millisecond)
	}
	p.Pass()
	wantRecovery(t, two)
	if _, err := two.Sessions().ByHash(t.Context(), r.Hash); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after the cut: %v", err)
	}
}

// TestSentinel: the master dies, and its copy takes over.
func TestSentinel(t *testing.T) {
	t.Parallel()
	master := servers.Another(t)
	servers.Another(t, "--replicaof", "127.0.0.1", fmt.Sprint(master.Port), "--repl-diskless-sync-delay", "0")
	for !strings.Contains(dbtest.RedisCLI(t, master.Address(), "INFO", "replication"), "state=online") {
		<-time.After(50 * time.Millisecond)
	}
	sentinel := servers.Sentinel(t, "main", master)
	for !strings.Contains(dbtest.RedisCLI(t, sentinel, "SENTINEL", "MASTER", "main"), "num-slaves\n1") {
		<-time.After(50 * time.Millisecond)
	}
	s := open(t, redis.Config{URL: "redis://" + sentinel + "?" + url.Values{"master_set": {"main"}}.Encode(), Timeout: patience})
	wantRecovery(t, s)
	master.Kill()
	wantRecovery(t, s)
}

func TestLook(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want redis.Health
	}{
		"empties":  {nil, redis.Health{Empties: true}},
		"snapshot": {[]string{"--save", "60 1"}, redis.Health{}},
		"log":      {[]string{"--appendonly", "yes"}, redis.Health{}},
		"evicts": {
			[]string{"--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, redis.Health{Policy: "allkeys-lru"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, redis.Config{URL: servers.Another(t, c.args...).SocketURL()})
			if got, err := s.Look(t.Context()); err != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestMistakesHoldNoSecret(t *testing.T) {
	t.Parallel()
	for _, at := range []string{
		"", "localhost:6379", "http://user:canary@localhost", "redis://user:%zzcanary@localhost", "redis://:canary@localhost/x",
		"redis://:canary@localhost?skip_verify=true", "rediss://:canary@localhost?ca=/nowhere", "redis://:canary@127.0.0.1:1",
	} {
		_, err := redis.Open(t.Context(), redis.Config{URL: at, Timeout: patience})
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", at, err)
		}
	}
	if _, err := redis.Open(t.Context(), redis.Config{URL: "redis://localhost", Prefix: "{x}"}); err == nil {
		t.Error("a hash tag is accepted")
	}
}
