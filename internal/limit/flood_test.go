package limit_test

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/limit"
	"github.com/ostiary/ostiary/store"
	"pgregory.net/rapid"
)

// v6 is the i-th /48 under 2001::/16, and an address in it.
func v6(i uint32) netip.Addr {
	a := [16]byte{0: 0x20, 1: 0x01, 15: 1}
	binary.BigEndian.PutUint32(a[2:], i)
	return netip.AddrFrom16(a)
}

func TestR37_MillionSourcesInConstantMemory(t *testing.T) {
	table := limit.New(0)
	before := heap()
	for i := range uint32(1_000_000) {
		table.Take("login", v6(i), rate, start.Add(time.Duration(i)*time.Microsecond))
	}
	after := heap()
	if after > before+64<<10 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	runtime.KeepAlive(table)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestR37_FloodResetsNothing: an attacker who is out of units floods the table from a hundred times as many sources as it
// has slots, and gets nothing for it until his window is over.
func TestR37_FloodResetsNothing(t *testing.T) {
	t.Parallel()
	table, attacker := limit.New(1_024), netip.MustParseAddr("203.0.113.9")
	taken(table, "login", attacker, 3)
	for i := range uint32(100_000) {
		table.Take("login", v6(i), rate, start)
		if i%1_000 == 0 && table.Take("login", attacker, rate, start).OK {
			t.Fatalf("allowed again after %d other sources", i)
		}
	}
	if !table.Take("login", attacker, rate, start.Add(time.Hour)).OK {
		t.Error("refused after the window was over")
	}
}

// TestR37_FloodOfSignInsLeavesShortWindowsOpen: the debts of long windows are not charged to short ones.
func TestR37_FloodOfSignInsLeavesShortWindowsOpen(t *testing.T) {
	t.Parallel()
	table := limit.New(1_024)
	slow, quick := store.Rate{Burst: 20, Every: 45 * time.Second}, store.Rate{Burst: 60, Every: time.Second}
	for i := range uint32(100_000) {
		table.Take("login", v6(i), slow, start)
	}
	if table.Take("login", netip.MustParseAddr("198.51.100.1"), slow, start).OK {
		t.Error("the flood was too small to mean anything")
	}
	if !table.Take("api", netip.MustParseAddr("198.51.100.1"), quick, start).OK {
		t.Error("a new source with a short window was refused")
	}
}

// TestR37_IdleSlotsAreTakenFirst: a table whose buckets are full again treats newcomers as new.
func TestR37_IdleSlotsAreTakenFirst(t *testing.T) {
	t.Parallel()
	table := limit.New(1_024)
	for i := range uint32(100_000) {
		now := start.Add(time.Duration(i) * time.Second)
		if a := table.Take("login", v6(i), rate, now); !a.OK || a.Remaining != 2 {
			t.Fatalf("source %d: %+v", i, a)
		}
	}
}

// TestR37_NeverLooser compares a table of 16 slots with one that has a slot for everybody.
func TestR37_NeverLooser(t *testing.T) {
	t.Parallel()
	rates := []store.Rate{{Burst: 2, Every: 10 * time.Second}, {Burst: 5, Every: 45 * time.Second}, {Burst: 3, Every: time.Second}}
	classes := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		small, now := limit.New(16), start
		exact := map[string]time.Time{}
		for range rapid.IntRange(100, 300).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3_000).Draw(t, "milliseconds")) * time.Millisecond)
			c, i := rapid.IntRange(0, 2).Draw(t, "class"), rapid.Uint32Range(0, 40).Draw(t, "source")
			if !small.Take(classes[c], v6(i), rates[c], now).OK {
				continue
			}
			key := classes[c] + v6(i).String()
			state, a := rates[c].Step(exact[key], now)
			if !a.OK {
				t.Fatalf("allowed what an endless table refuses: %s", key)
			}
			exact[key] = state
		}
	})
}

func TestConcurrentCallersGetWhatTheRateAllows(t *testing.T) {
	t.Parallel()
	table, many := limit.New(64), store.Rate{Burst: 1_000, Every: time.Hour}
	var ok atomic.Int64
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				if table.Take("login", netip.MustParseAddr("203.0.113.9"), many, start).OK {
					ok.Add(1)
				}
				table.Take("noise", v6(uint32(g*500+i)), rate, start)
				table.Refund("noise", v6(uint32(g*500+i)), rate, start)
			}
		})
	}
	wg.Wait()
	if ok.Load() != 1_000 {
		t.Errorf("%d were allowed, want 1000", ok.Load())
	}
}

func TestTakeDoesNotAllocate(t *testing.T) {
	table, i := limit.New(0), uint32(0)
	if n := testing.AllocsPerRun(1_000, func() {
		i++
		table.Take("login", v6(i), rate, start)
		table.Take("login", netip.AddrFrom4([4]byte{byte(i)}), rate, start)
		table.Refund("login", v6(i), rate, start)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTake(b *testing.B) {
	quick := store.Rate{Burst: 60, Every: time.Microsecond}
	for _, c := range []struct {
		name   string
		source func(i uint32) netip.Addr
	}{
		{"one IPv4", func(uint32) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, 9}) }},
		{"one IPv6", func(uint32) netip.Addr { return v6(7) }},
		{"million IPv6", func(i uint32) netip.Addr { return v6(i % 1_000_000) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			table := limit.New(0)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := uint32(0); pb.Next(); i++ {
					table.Take("login", c.source(i), quick, start.Add(time.Duration(i)*time.Microsecond))
				}
			})
		})
	}
}
