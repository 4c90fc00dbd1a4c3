// Package redis keeps sessions and counters in Redis or Valkey, for any number of nodes: a store.Volatile beside a durable
// store.Store.
//
// It owns the connections, the keys and the scripts. It does not own the server, its persistence or its memory, and it
// keeps nothing whose loss would matter (R40).
//
// # Keys
//
// After the prefix:
//
//	s:HASH   a session, under the hash of its cookie's secret: the only truth
//	i:ID     the hash under which the session is
//	u:USER   sorted set of the IDs of a person's sessions
//	x:0 … x:f sorted sets of all IDs by the moment at which the session is over
//	c:KEY    a counter
//
// All but x: vanish by themselves. The server counts that time from the write, so its clock is never compared with ours; a
// session stays a week longer than it lives, for the sweep that ends it with its notices.
//
// # What is atomic
//
// Every command and script names one key, so a Cluster needs no hash tags and spreads sessions evenly. One key changes
// atomically, and nothing beyond it does. The steps are ordered so that whatever fails between them does no harm:
//
//   - Put removes the session under its old hash first, then writes it under the new one, then points to it. A Put that
//     failed may have lost the session, which then nobody can use; it cannot have left two. Of Puts that run at once, each
//     removes what its pointer replaced, so one hash is left.
//   - End removes the session, then what points to it. A pointer that is left over points at nothing.
//   - A session that is not in the sets is not listed and not swept: it vanishes by itself. Sets that name sessions which
//     are gone are mended by whoever reads them.
//
// A failover may undo the newest writes. That is what store.Volatile allows: the engine compares every session with the
// revocation log and the person's epoch (R22).
package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/ostiary/ostiary/store"
)

// Config names a server. Only URL is needed.
type Config struct {
	// URL is redis://user:password@host:6379/0, rediss:// for TLS, or unix:///path/to/socket?db=0. A Cluster is recognised;
	// further nodes are named by addr=host:port parameters. With master_set=NAME the hosts are Sentinels. ca=FILE names the
	// authority of the server's certificate.
	URL string
	// Prefix starts every key. Default "sess:".
	Prefix string
	// Timeout bounds every verb. Default 1 s.
	Timeout time.Duration
	// CacheTTL lets ByHash remember an answer, also that there is none, for so long at most: the server says when it changed
	// (client-side caching). It is for an engine whose SessionConfig is Uncached: the engine's own cache must not be filled
	// from one that may be some milliseconds late, or, while the server cannot be reached, this long. 0: ask each time.
	CacheTTL time.Duration
}

// Store implements store.Volatile. It is safe for concurrent use.
type Store struct {
	client   valkey.Client
	prefix   string
	timeout  time.Duration
	cacheTTL time.Duration
	scripts  scripts
}

// Open connects. Its errors are one line and hold no secret.
func Open(ctx context.Context, c Config) (*Store, error) {
	c.Prefix, c.Timeout = cmp.Or(c.Prefix, "sess:"), cmp.Or(c.Timeout, time.Second)
	switch {
	case strings.ContainsAny(c.Prefix, "{}"):
		return nil, errors.New("open redis: the prefix must not hold { or }, which would put everything into one slot of a Cluster")
	case c.Timeout < 0 || c.CacheTTL < 0:
		return nil, errors.New("open redis: a duration is negative")
	}
	option, err := c.option()
	if err != nil {
		return nil, fmt.Errorf("open redis: %w", err)
	}
	client, err := valkey.NewClient(option)
	if err != nil {
		return nil, fmt.Errorf("open redis: %w", err)
	}
	s := &Store{client: client, prefix: c.Prefix, timeout: c.Timeout, cacheTTL: c.CacheTTL, scripts: newScripts()}
	if err := s.Ping(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("open redis: %w", err)
	}
	return s, nil
}

// Close closes the connections.
func (s *Store) Close() error {
	s.client.Close()
	return nil
}

// Ping reads from every part of the key space that is read by a sweep.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	commands := make([]valkey.Completed, shards)
	for i := range commands {
		commands[i] = s.client.B().Exists().Key(s.expiryKey(i)).Build()
	}
	return fault("ping", errorOf(s.client.DoMulti(ctx, commands...)))
}

// bound gives a verb its time.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout)
}

// fence returns after what this node caches of a key is no older than the last write to it: the notice of the change and
// this answer come by the same connection.
func (s *Store) fence(ctx context.Context, key string) error {
	if s.cacheTTL == 0 {
		return nil
	}
	return s.client.Do(ctx, s.client.B().Exists().Key(key).Build()).Error()
}

// errorOf is the first error; that something is not there is none.
func errorOf(replies []valkey.ValkeyResult) error {
	for _, r := range replies {
		if err := r.Error(); err != nil && !valkey.IsValkeyNil(err) {
			return err
		}
	}
	return nil
}

func fault(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redis: %s: %w", what, err)
}

// found turns the absence of a value into ErrNotFound.
func found(what string, err error) error {
	if valkey.IsValkeyNil(err) {
		return store.ErrNotFound
	}
	return fault(what, err)
}
