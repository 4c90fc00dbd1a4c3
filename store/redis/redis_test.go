package redis_test

import (
	"crypto/rand"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/redis"
	"github.com/ostiary/ostiary/store/storetest"
)

var servers dbtest.Redis

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// cacheTTL is longer than any test: what a test sees, it sees because the server told.
const cacheTTL = time.Minute

func TestContract(t *testing.T) {
	t.Parallel()
	cluster := url.Values{"addr": servers.Cluster(t)}
	urls := map[string]string{
		"redis":   servers.Server(t).SocketURL(),
		"tcp":     "redis://" + servers.Server(t).Address() + "/1",
		"cluster": "redis://" + cluster.Get("addr") + "?" + cluster.Encode(),
	}
	if valkey := servers.Valkey(t); valkey != nil {
		urls["valkey"] = valkey.SocketURL()
	} else {
		t.Log("NOT TESTED: Valkey, there is no valkey-server")
	}
	for name, at := range urls {
		for mode, ttl := range map[string]time.Duration{"asked each time": 0, "client cache": cacheTTL} {
			t.Run(name+", "+mode, func(t *testing.T) {
				t.Parallel()
				storetest.RunVolatile(t, func(t *testing.T) store.Volatile {
					return open(t, redis.Config{URL: at, CacheTTL: ttl})
				})
			})
		}
	}
}

// open uses a prefix of its own, as an empty store.
func open(t testing.TB, c redis.Config) *redis.Store {
	t.Helper()
	if c.Prefix == "" {
		c.Prefix = rand.Text() + ":"
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second // on a busy machine
	}
	s, err := redis.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
