package limit

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/store"
)

// level is one prefix by which sources are counted.
type level struct {
	bits  int
	times int // the multiple of the rate
}

// The levels, finest first. maxLevels is the length of the longest list.
const maxLevels = 3

func levels(v6 bool) []level {
	if v6 {
		return []level{{64, 1}, {56, 8}, {48, 64}}
	}
	return []level{{32, 1}, {24, 16}}
}

// bucket is one level of one source for one class.
type bucket struct {
	key  key
	rate store.Rate
}

func newBucket(hash uint64, r store.Rate) bucket {
	return bucket{key(hash&^(lanes-1) | laneOf(r)), r}
}

// laneOf sorts windows by length, a factor of four to a lane: below 4 s, 16 s, 64 s, … 4,096 s, 16,384 s, and the rest.
func laneOf(r store.Rate) uint64 {
	seconds := uint64(r.Burst) * uint64(r.Every) / uint64(time.Second)
	return uint64(min(bits.Len64(seconds/4)+1, 2*lanes-1) / 2)
}

// buckets are those of one request, finest first.
type buckets struct {
	list [maxLevels]bucket
	n    int
}

// last is the coarsest: it decides in which shard all buckets of the source are.
func (b *buckets) last() key { return b.list[b.n-1].key }

func (b *buckets) slice() []bucket { return b.list[:b.n] }

// of finds the buckets of a source. Every address that is not valid has the same single one.
func (t *Table) of(class string, source netip.Addr, r store.Rate) (out buckets) {
	base := maphash.String(t.seed, class)
	source = source.Unmap()
	if !source.IsValid() {
		out.list[0], out.n = newBucket(maphash.Comparable(t.seed, identity{class: base}), r), 1
		return out
	}
	raw := source.As16()
	hi, lo := binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])
	for i, l := range levels(source.Is6()) {
		id := identity{class: base, bits: uint64(l.bits), prefix: hi >> (64 - l.bits)}
		if source.Is4() {
			id.v4, id.prefix = 1, lo<<32>>(64-l.bits)
		}
		out.list[i] = newBucket(maphash.Comparable(t.seed, id), times(r, l.times))
		out.n++
	}
	return out
}

// identity is what is hashed.
type identity struct{ class, v4, bits, prefix uint64 }

// times is the rate with n times the burst and n times the speed.
func times(r store.Rate, n int) store.Rate {
	return store.Rate{Burst: r.Burst * n, Every: max(r.Every/time.Duration(n), 1)}
}
