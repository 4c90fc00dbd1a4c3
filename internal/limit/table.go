package limit

import (
	"hash/maphash"
	"math"
	"math/bits"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/store"
)

// The sizes of a table, in slots, of 24 bytes each.
const (
	DefaultSize = 1 << 16
	MaxSize     = 1 << 24
)

const maxShards = 64

// Table counts what sources do. Its memory is constant, whatever they do. It is safe for concurrent use.
type Table struct {
	seed   maphash.Seed
	base   time.Time // states are kept as the time since then, by the monotonic clock where there is one
	shards []shard
	shift  int // key >> shift is the shard
}

// New makes a table of size slots, rounded up to a power of two; one source occupies two (IPv4) or three (IPv6) for each
// class, most of them shared with its neighbours. 0 or less: DefaultSize, 1.5 megabytes. No table is larger than MaxSize.
func New(size int) *Table {
	if size <= 0 {
		size = DefaultSize
	}
	sets := 1 << bits.Len(uint(max(min(size, MaxSize)/ways, 1)-1))
	shards := min(sets, maxShards)
	t := &Table{
		seed:   maphash.MakeSeed(),
		base:   time.Now(),
		shards: make([]shard, shards),
		shift:  64 - bits.TrailingZeros(uint(shards)),
	}
	for i := range t.shards {
		t.shards[i].sets = newSets(sets / shards)
	}
	return t
}

// Take asks for one unit of a class of requests ("POST /api/v1/login") for a source, at now. The answer is that of the
// level with the least room. A rate that is not positive refuses everything. The same class must always come with the same
// rate: the buckets of a class know only when they are full again.
func (t *Table) Take(class string, source netip.Addr, r store.Rate, now time.Time) store.Allowance {
	if r.Burst <= 0 || r.Every <= 0 {
		return store.Allowance{}
	}
	all := t.of(class, source, r)
	s := t.shard(&all)
	s.Lock()
	defer s.Unlock()
	var next [maxLevels]int64
	answer := store.Allowance{OK: true, Remaining: math.MaxInt}
	for i, b := range all.slice() {
		state, a := b.rate.Step(t.time(s.get(b.key, t.offset(now))), now)
		next[i] = t.offset(state)
		answer = tighter(answer, a)
	}
	if !answer.OK {
		return answer
	}
	for i, b := range all.slice() {
		s.put(b.key, next[i])
	}
	return answer
}

// Refund gives back one unit that was taken, never beyond a full bucket. A bucket whose slot was needed for another source
// meanwhile gets nothing back.
func (t *Table) Refund(class string, source netip.Addr, r store.Rate, now time.Time) {
	if r.Burst <= 0 || r.Every <= 0 {
		return
	}
	all := t.of(class, source, r)
	s := t.shard(&all)
	s.Lock()
	defer s.Unlock()
	for _, b := range all.slice() {
		if slot := s.find(b.key); slot != nil {
			slot.full = max(t.offset(b.rate.Back(t.time(slot.full))), t.offset(now))
		}
	}
}

func (t *Table) shard(b *buckets) *shard {
	return &t.shards[b.last()>>t.shift]
}

func (t *Table) offset(at time.Time) int64 { return int64(at.Sub(t.base)) }

func (t *Table) time(offset int64) time.Time { return t.base.Add(time.Duration(offset)) }

// tighter is the answer that leaves less room: the refusal before the consent, the longer wait, the fewer units.
func tighter(a, b store.Allowance) store.Allowance {
	if a.OK != b.OK {
		if a.OK {
			return b
		}
		return a
	}
	if b.RetryAfter > a.RetryAfter || b.Remaining < a.Remaining {
		return b
	}
	return a
}
