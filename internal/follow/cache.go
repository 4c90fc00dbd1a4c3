package follow

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const shardCount = 32

// Cache remembers what was read from a store until the log says that it changed. When it is full it forgets something at
// random, which costs a read and nothing else.
//
// A value that was read while an invalidation went by is not kept: take Version before the read, and hand it to Put.
type Cache[K comparable, V any] struct {
	seed    maphash.Seed
	version atomic.Uint64
	perSize int
	shards  [shardCount]shard[K, V]
}

type shard[K comparable, V any] struct {
	mu sync.RWMutex
	m  map[K]V
}

// NewCache makes a cache for about size values; with size 0 it remembers nothing.
func NewCache[K comparable, V any](size int) *Cache[K, V] {
	c := &Cache[K, V]{seed: maphash.MakeSeed(), perSize: (size + shardCount - 1) / shardCount}
	for i := range c.shards {
		c.shards[i].m = map[K]V{}
	}
	return c
}

func (c *Cache[K, V]) shard(k K) *shard[K, V] {
	return &c.shards[maphash.Comparable(c.seed, k)%shardCount]
}

// Get returns what is remembered of k.
func (c *Cache[K, V]) Get(k K) (V, bool) {
	s := c.shard(k)
	s.mu.RLock()
	v, ok := s.m[k]
	s.mu.RUnlock()
	return v, ok
}

// Version is taken before the read whose result goes to Put.
func (c *Cache[K, V]) Version() uint64 { return c.version.Load() }

// Put remembers v, unless something was invalidated since version was taken.
func (c *Cache[K, V]) Put(k K, v V, version uint64) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.version.Load() != version || c.perSize == 0 {
		return
	}
	if _, ok := s.m[k]; !ok && len(s.m) >= c.perSize {
		for old := range s.m {
			delete(s.m, old)
			break
		}
	}
	s.m[k] = v
}

// Drop forgets k, and makes sure that nobody who is reading k now will remember what he reads.
func (c *Cache[K, V]) Drop(k K) {
	c.version.Add(1)
	s := c.shard(k)
	s.mu.Lock()
	delete(s.m, k)
	s.mu.Unlock()
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	c.version.Add(1)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		clear(s.m)
		s.mu.Unlock()
	}
}
