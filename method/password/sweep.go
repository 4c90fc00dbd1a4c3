package password

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// sweepShare is the part of a hash's time that may go into the CPU of collecting its memory: 1/40, 2.5 %.
const sweepShare = 40

// sweeper collects what hashes left behind. Argon2id in x/crypto allocates its 64 MiB at every call, and left to itself
// the collector lets two or three dead blocks pile up for each live one. Collecting before the permit is passed on leaves
// pages behind that the next hash finds warm. Measured with 60 hashes of 64 MiB, one permit, Go 1.26, two cores:
//
//	                                          peak RSS       CPU a hash   of that collecting
//	left to the collector                     135–184 MiB    109–117 ms   0.3 ms
//	runtime.GC after each                     68 or 135 MiB  109–111 ms   0.25 ms
//	the same, 10 MB/s of other allocations    136 MiB        116 ms
//	the same, with a memory limit of 100 MiB  84 MiB         119 ms
//	debug.FreeOSMemory after each             67 MiB         168 ms       4 ms: every page is faulted in again
//
// So the bound is one block a permit and one more: when something small lands in the space that a block left, the next
// block needs another place. Who wants it tighter sets the process's soft limit (GOMEMLIMIT, debug.SetMemoryLimit) to
// some 40 MiB above permits × 64 MiB; that is not for a library to do.
//
// A collection is not free in a process with millions of live objects (two million: 13 ms), so it is paid out of the time
// spent hashing since the last one. There the collector's own slack, as large as the live heap, is far above a block.
type sweeper struct {
	mu     sync.Mutex
	credit time.Duration // spent hashing since the last collection
	cost   time.Duration // of the last collection
}

// after is told of each hash, once its memory is dead.
func (s *sweeper) after(took time.Duration) {
	s.mu.Lock()
	s.credit += took
	due := s.credit >= s.cost*sweepShare
	if due {
		s.credit = 0
	}
	s.mu.Unlock()
	if !due {
		return
	}
	before := collectorCPU()
	runtime.GC()
	cost := collectorCPU() - before
	s.mu.Lock()
	s.cost = cost
	s.mu.Unlock()
}

// collectorCPU is the CPU that collecting has cost so far. Time on the wall would not do: under a flood of requests a
// collection waits for the processors, and that is when it is needed most.
func collectorCPU() time.Duration {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(sample)
	return time.Duration(sample[0].Value.Float64() * float64(time.Second))
}
