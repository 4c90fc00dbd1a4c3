package server_test

import (
	"context"
	"testing"

	"github.com/ostiary/ostiary/internal/dbtest"
	"github.com/ostiary/ostiary/server"
)

func TestSessionsInRedis(t *testing.T) {
	t.Parallel()
	var redis dbtest.Redis
	process := redis.Another(t, "--appendonly", "yes")
	cfg := config(t)
	cfg.Redis = server.Location(process.SocketURL())
	s := start(t, cfg)
	ready := func(want int) {
		t.Helper()
		if rec := get(s, s.URL()+"/readyz"); rec.Code != want {
			t.Errorf("readyz is %d, want %d: %s", rec.Code, want, rec.Body)
		}
	}
	ready(200)
	process.Kill()
	ready(503)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ready(200)
}

// TestR40_DoctorLooksAtRedis: what throws sessions and counters away is an error, and what forgets them a warning.
func TestR40_DoctorLooksAtRedis(t *testing.T) {
	t.Parallel()
	var redis dbtest.Redis
	for name, c := range map[string]struct {
		args []string
		want server.Level
	}{
		"keeps":   {[]string{"--appendonly", "yes"}, server.Good},
		"forgets": {nil, server.Risky},
		"evicts":  {[]string{"--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"}, server.Wrong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t)
			cfg.Redis = server.Location(redis.Another(t, c.args...).SocketURL())
			if got := aboutRedis(t.Context(), cfg); got.Level != c.want || (got.Problem == "") != (c.want == server.Good) {
				t.Errorf("doctor says %+v, want %s", got, c.want)
			}
		})
	}
	cfg := config(t)
	cfg.Redis = "redis://user:canary@127.0.0.1:1"
	if got := aboutRedis(t.Context(), cfg); got.Level != server.Wrong {
		t.Errorf("without a server doctor says %+v", got)
	}
}

func aboutRedis(ctx context.Context, cfg server.Config) server.Finding {
	for _, f := range server.Doctor(ctx, cfg) {
		if f.Name == "redis server" {
			return f
		}
	}
	return server.Finding{}
}
