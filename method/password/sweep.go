package password

import (
	"runtime"
	"runtime/metrics"
)

// sweepBelow is the size of the heap, dead blocks included, above which collecting is left to the collector: its own slack
// is then larger than a block, and a collection is no longer cheap.
const sweepBelow = 192 << 20

// sweep collects what a hash left behind. Argon2id in x/crypto allocates its 64 MiB at every call, and left to itself the
// collector lets two or three dead blocks pile up for each live one. Collecting before the permit is passed on leaves pages
// behind that the next hash finds warm. Measured with 60 hashes of 64 MiB, one permit, Go 1.26, two cores:
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
// some 40 MiB above permits × 64 MiB, as the server does; that is not for a library to do.
func sweep() {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	if metrics.Read(heap); heap[0].Value.Uint64() < sweepBelow {
		runtime.GC()
	}
}
