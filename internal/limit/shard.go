package limit

import (
	"math"
	"sync"
)

const (
	ways  = 8 // slots of a set
	lanes = 8 // lengths of windows that are told apart; a power of two
)

// key is the hash of what a bucket counts, with its lane in the lowest bits.
type key uint64

func (k key) lane() int { return int(k % lanes) }

// slot is a bucket: whose it is, and when it is full again. At first all are nobody's and full.
type slot struct {
	key  key
	full int64 // nanoseconds since Table.base
}

// set is where a bucket can be: three cache lines.
type set struct {
	slots [ways]slot
	floor [lanes]int64 // no bucket of that lane that was dropped from the set had a later time
}

// shard is a part of the table under one lock.
type shard struct {
	sync.Mutex
	sets []set
	_    [64]byte // keeps the locks of neighbours on different cache lines
}

func newSets(n int) []set {
	sets := make([]set, n)
	for i := range sets {
		for j := range ways {
			sets[i].slots[j].full = math.MinInt64
		}
		for j := range lanes {
			sets[i].floor[j] = math.MinInt64
		}
	}
	return sets
}

func (s *shard) set(k key) *set { return &s.sets[int(k/lanes)&(len(s.sets)-1)] }

// find returns the slot of a bucket, or nil.
func (s *shard) find(k key) *slot {
	set := s.set(k)
	for i := range set.slots {
		if set.slots[i].key == k {
			return &set.slots[i]
		}
	}
	return nil
}

// get returns the time at which a bucket is full again, not before now. A bucket that has no slot owes the most that its
// set ever dropped of its lane.
func (s *shard) get(k key, now int64) int64 {
	if slot := s.find(k); slot != nil {
		return max(slot.full, now)
	}
	return max(s.set(k).floor[k.lane()], now)
}

// put keeps the state of a bucket, if need be in the slot whose bucket is the fullest.
func (s *shard) put(k key, full int64) {
	if slot := s.find(k); slot != nil {
		slot.full = full
		return
	}
	set := s.set(k)
	old := set.fullest()
	lane := old.key.lane()
	set.floor[lane] = max(set.floor[lane], old.full)
	*old = slot{k, full}
}

func (s *set) fullest() *slot {
	best := &s.slots[0]
	for i := range s.slots {
		if s.slots[i].full < best.full {
			best = &s.slots[i]
		}
	}
	return best
}
