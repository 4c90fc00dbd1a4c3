package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/redis"
)

// clientCache is how long the client may remember a session in the row of client-side caching.
const clientCache = time.Second

// serveFromRedis serves twice from a Redis of its own: asked each time, and remembered by the client. Without a
// redis-server nothing is served, and h says so by empty addresses. The Redis ends with stop.
func serveFromRedis(ctx context.Context, dir string, db store.Store, key ostiary.Key, h *hello) (stop func(), err error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return func() {}, nil
	}
	socket := filepath.Join(dir, "redis.sock")
	server := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	if err := server.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}
	if err := join(ctx, "unix://"+socket, db, key, h); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

func join(ctx context.Context, url string, db store.Store, key ostiary.Key, h *hello) error {
	asking, err := openRedis(ctx, redis.Config{URL: url})
	if err != nil {
		return err
	}
	caching, err := openRedis(ctx, redis.Config{URL: url, CacheTTL: clientCache})
	if err != nil {
		return err
	}
	for _, s := range []struct {
		volatile store.Volatile
		at       *string
	}{{asking, &h.Redis}, {caching, &h.RedisCached}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		*s.at = addr(l)
		auth, err := engineOn(ctx, h.Engine, db, s.volatile, key, ostiary.SessionConfig{Uncached: true})
		if err != nil {
			return err
		}
		for i := len(h.RedisCookies); i < people; i++ {
			cookie, _, err := signIn(auth, i, store.DeliverSession)
			if err != nil {
				return err
			}
			h.RedisCookies = append(h.RedisCookies, cookie)
		}
		go serve(l, withProtected(auth))
	}
	return nil
}

// openRedis waits for a server that was just started.
func openRedis(ctx context.Context, c redis.Config) (*redis.Store, error) {
	var last error
	for range 200 {
		s, err := redis.Open(ctx, c)
		if err == nil {
			return s, nil
		}
		last = err
		time.Sleep(10 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("redis-server does not answer"), last)
}
