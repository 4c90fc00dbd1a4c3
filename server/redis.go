package server

import (
	"context"
	"errors"
	"net/url"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/redis"
)

// openVolatile opens what keeps sessions and counters: the database itself where no other place is named.
func (c Config) openVolatile(ctx context.Context, db database) (v store.Volatile, closer func() error, err error) {
	if c.Redis == "" {
		return db, func() error { return nil }, nil
	}
	s, err := redis.Open(ctx, redis.Config{URL: string(c.Redis)})
	if err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}

func checkRedis(c Config) Finding {
	if c.Redis == "" {
		return Finding{}
	}
	if err := redis.Check(string(c.Redis)); err != nil {
		return wrong("", "%s", err)
	}
	u, err := url.Parse(string(c.Redis))
	if err == nil && u.Scheme == "redis" && !loopback(u.Hostname()) {
		return risky("use rediss://", "whoever is between us and %s can read and change sessions", u.Hostname())
	}
	return Finding{}
}

// lookAtRedis is about what the operator of the server decides (R40).
func (c Config) lookAtRedis(ctx context.Context) Finding {
	f := Finding{Level: Good, Name: "redis server"}
	s, err := redis.Open(ctx, redis.Config{URL: string(c.Redis)})
	if err != nil {
		f.Level, f.Problem = Wrong, err.Error()
		return f
	}
	health, err := s.Look(ctx)
	switch err = errors.Join(err, s.Close()); {
	case err != nil:
		f.Level, f.Problem = Wrong, err.Error()
	case health.Policy != "":
		f.Level, f.Problem = Wrong, "a full server throws sessions and counters away: maxmemory-policy is "+health.Policy
		f.Fix = "set maxmemory-policy noeviction"
	case health.Empties:
		f.Level, f.Problem = Risky, "a restart of the server signs everybody out: it keeps neither snapshots nor an append-only file"
		f.Fix = "set appendonly yes"
	}
	return f
}
