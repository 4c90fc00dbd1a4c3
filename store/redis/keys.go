package redis

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/store"
)

// shards is over how many sorted sets, and so nodes of a Cluster, the moments of expiry are spread.
const shards = 16

// grace is how long a session stays after its end, for the sweep; and everything that belongs to it.
const grace = 7 * 24 * time.Hour

func (s *Store) sessionKey(hash [32]byte) string {
	return s.prefix + "s:" + base64.RawURLEncoding.EncodeToString(hash[:])
}

func (s *Store) pointerKey(id string) string { return s.prefix + "i:" + id }

func (s *Store) userKey(id string) string { return s.prefix + "u:" + id }

func (s *Store) counterKey(key string) string { return s.prefix + "c:" + key }

func (s *Store) expiryKey(shard int) string {
	return s.prefix + "x:" + strconv.FormatInt(int64(shard), shards)
}

// expiryOf is the sorted set that an ID is in, by its last digit: the first ones are a time.
func (s *Store) expiryOf(id string) string { return s.prefix + "x:" + id[len(id)-1:] }

// over is the moment at which a session ends without being used.
func over(r store.Session) time.Time {
	if r.ExpiresAt.Before(r.IdleAt) {
		return r.ExpiresAt
	}
	return r.IdleAt
}

// longest is how long anything is kept, whatever its times say.
const longest = 10 * 365 * 24 * time.Hour

// keep is how long from its last use on something is kept that is over at t.
func keep(r store.Session, t time.Time) time.Duration {
	return (min(max(0, t.Sub(r.LastSeenAt)), longest) + grace).Truncate(time.Millisecond)
}
