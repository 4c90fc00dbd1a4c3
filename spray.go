package ostiary

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"time"
)

// A spray tries few passwords on many accounts, so that no account notices. It is on when strangers failed at sprayBegins
// accounts or more within the window, and at more than sprayRatio times as many as got in. It ends when they have failed at
// less than half as many.
const (
	spraySlots  = 10
	spraySlot   = time.Minute // so the window is between 9 and 10 minutes
	sprayBegins = 100
	sprayRatio  = 4
	sprayWords  = 64 // of a bitmap: 4,096 bits count some 30,000 accounts
)

// spray detects one, for this node alone, in 10 KiB. It counts accounts, not tries, by linear counting (Whang, Vander-Zanden
// and Taylor 1990): a bit for the hash of each. The hash is keyed at random, so nobody can choose accounts that collide.
type spray struct {
	mu     sync.Mutex
	seed   maphash.Seed
	slots  [spraySlots]spraySlotCount
	raging bool
}

type spraySlotCount struct {
	at         int64 // number of the slot since 1970
	failed, in accounts
}

type accounts [sprayWords]uint64

func newSpray() *spray { return &spray{seed: maphash.MakeSeed()} }

// failed notes a stranger's failure. When a spray begins with it, the answer is the number of accounts; else 0.
func (s *spray) failed(account string, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slot(now).failed.add(maphash.String(s.seed, account))
	was := s.raging
	if n := s.judge(now); s.raging && !was {
		return n
	}
	return 0
}

// succeeded notes that somebody got into an account.
func (s *spray) succeeded(account string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slot(now).in.add(maphash.String(s.seed, account))
}

// on says whether there is a spray.
func (s *spray) on(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.raging {
		s.judge(now)
	}
	return s.raging
}

// slot is the present one, emptied if it is a new one.
func (s *spray) slot(now time.Time) *spraySlotCount {
	at := now.Unix() / int64(spraySlot/time.Second)
	slot := &s.slots[uint64(at)%spraySlots]
	if slot.at != at {
		*slot = spraySlotCount{at: at}
	}
	return slot
}

// judge counts the window and returns at how many accounts strangers failed in it.
func (s *spray) judge(now time.Time) int {
	current := s.slot(now).at
	var failed, in accounts
	for i := range s.slots {
		if slot := &s.slots[i]; slot.at > current-spraySlots && slot.at <= current {
			failed.join(&slot.failed)
			in.join(&slot.in)
		}
	}
	f, ok := failed.count(), in.count()
	switch {
	case f >= sprayBegins && f > sprayRatio*ok:
		s.raging = true
	case 2*f < sprayBegins || 2*f < sprayRatio*ok:
		s.raging = false
	}
	return f
}

func (a *accounts) add(hash uint64) { a[hash/64%sprayWords] |= 1 << (hash % 64) }

func (a *accounts) join(b *accounts) {
	for i := range a {
		a[i] |= b[i]
	}
}

// count estimates how many were added.
func (a *accounts) count() int {
	const size = sprayWords * 64
	free := size
	for _, w := range a {
		free -= bits.OnesCount64(w)
	}
	return int(math.Round(-size * math.Log(float64(max(free, 1))/size)))
}
