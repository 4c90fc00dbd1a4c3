package password_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/phc"
	"github.com/ostiary/ostiary/method/password"
)

// crowd sends callers to a pool from inside a synctest bubble. Each hash takes a second.
type crowd struct {
	pool  *password.Pool
	mu    sync.Mutex
	order []string // as they were served
	busy  map[string]int
}

func (c *crowd) come(ctx context.Context, source string, known bool) {
	go func() {
		err := c.pool.Do(ctx, netip.MustParseAddr(source), known, func() {
			c.mu.Lock()
			c.order = append(c.order, source)
			c.mu.Unlock()
			time.Sleep(time.Second) // of the bubble's clock
		})
		if errors.Is(err, password.ErrBusy) {
			c.mu.Lock()
			c.busy[source]++
			c.mu.Unlock()
		}
	}()
	synctest.Wait()
}

func newCrowd(permits, queue int) *crowd {
	return &crowd{pool: password.NewPool(permits, queue), busy: map[string]int{}}
}

func (c *crowd) served() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.order, " ")
}

func (c *crowd) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.order)
}

func finish() {
	time.Sleep(time.Hour)
	synctest.Wait()
}

func TestR38_SourcesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1, 8)
		for range 6 {
			c.come(t.Context(), "10.0.0.1", false)
		}
		c.come(t.Context(), "10.0.0.2", false)
		c.come(t.Context(), "10.0.0.3", false)
		c.come(t.Context(), "10.0.0.2", false)
		finish()
		// One of the flood runs and four wait, half of the queue; the newcomers come after one of it. By then the queue
		// is more than half full, so nobody gets a second place.
		want := "10.0.0.1 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.1 10.0.0.1 10.0.0.1"
		if diff := cmp.Diff(want, c.served()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]int{"10.0.0.1": 1, "10.0.0.2": 1}, c.busy); diff != "" {
			t.Error(diff)
		}
	})
}

func TestR38_OneIPv6NetworkIsOneSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1, 8)
		for i := range 8 {
			c.come(t.Context(), fmt.Sprintf("2001:db8::%d", i+1), false)
		}
		if len(c.busy) != 3 {
			t.Errorf("%d callers of a /64 were refused, want 3", len(c.busy))
		}
		c.come(t.Context(), "::ffff:10.0.0.1", false)
		c.come(t.Context(), "10.0.0.1", false)
		if diff := cmp.Diff(1, c.busy["10.0.0.1"]); diff != "" {
			t.Error("a mapped address is another source: " + diff)
		}
		finish()
	})
}

func TestR38_AFullQueueAnswersAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1, 4)
		for i := range 5 {
			c.come(t.Context(), fmt.Sprintf("10.0.0.%d", i+1), false)
		}
		start := time.Now()
		err := c.pool.Do(t.Context(), netip.MustParseAddr("10.0.0.9"), true, func() { t.Error("ran") })
		var busy *password.BusyError
		if !errors.As(err, &busy) || busy.RetryAfter < time.Second || busy.RetryAfter > 10*time.Second || time.Since(start) > 0 {
			t.Errorf("Do = %v after %v", err, time.Since(start))
		}
		finish()
	})
}

func TestR38_HalfIsReserved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(4, 16)
		for i := range 100 {
			c.come(t.Context(), fmt.Sprintf("10.0.0.%d", i+1), false)
		}
		if c.count() != 2 || len(c.busy) != 90 {
			t.Errorf("strangers: %d run and %d were refused, want 2 and 90", c.count(), len(c.busy))
		}
		c.come(t.Context(), "10.1.0.1", true)
		c.come(t.Context(), "10.1.0.2", true)
		if c.count() != 4 {
			t.Errorf("known callers wait behind strangers: %s", c.served())
		}
		for i := range 8 {
			c.come(t.Context(), fmt.Sprintf("10.1.1.%d", i+1), true)
		}
		if len(c.busy) != 90 {
			t.Error("a known caller found the queue full of strangers")
		}
		finish()
		if c.count() != 20 {
			t.Errorf("%d were served, want 20", c.count())
		}
	})
}

func TestR38_KnownCallersBorrowAndGiveBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(2, 16)
		for i := range 4 {
			c.come(t.Context(), fmt.Sprintf("10.1.0.%d", i+1), true)
		}
		c.come(t.Context(), "10.0.0.1", false)
		if c.count() != 2 {
			t.Fatalf("known callers do not use the idle half: %s", c.served())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff(true, strings.Contains(c.served(), "10.0.0.1")); diff != "" {
			t.Error("a stranger starves behind known callers: " + c.served())
		}
		finish()
	})
}

func TestR38_WhoeverLeavesFreesThePlaceAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1, 2)
		ctx, cancel := context.WithCancel(t.Context())
		c.come(t.Context(), "10.0.0.1", false)
		c.come(ctx, "10.0.0.2", false)
		c.come(ctx, "10.0.0.3", false)
		cancel()
		synctest.Wait()
		c.come(t.Context(), "10.0.0.4", false)
		c.come(t.Context(), "10.0.0.5", false)
		c.come(ctx, "10.0.0.6", false)
		finish()
		if diff := cmp.Diff("10.0.0.1 10.0.0.4 10.0.0.5", c.served()); diff != "" {
			t.Error(diff)
		}
		if len(c.busy) != 0 {
			t.Errorf("refused: %v", c.busy)
		}
	})
}

func TestPoolSurvivesAPanic(t *testing.T) {
	t.Parallel()
	p := password.NewPool(1, 1)
	func() {
		defer func() { _ = recover() }()
		_ = p.Do(t.Context(), netip.Addr{}, false, func() { panic("hash") })
	}()
	if err := p.Do(t.Context(), netip.Addr{}, false, func() {}); err != nil {
		t.Error(err)
	}
}

// Callers that come, wait, give up and finish in any order never exceed the permits and never lose one.
func TestPoolUnderRace(t *testing.T) {
	t.Parallel()
	const permits = 3
	p := password.NewPool(permits, 16)
	var running, most atomic.Int32
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for j := range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(j)*20*time.Microsecond)
				source := netip.AddrFrom4([4]byte{10, 0, 0, byte(i % 7)})
				_ = p.Do(ctx, source, i%3 == 0, func() {
					most.Store(max(most.Load(), running.Add(1)))
					runtime.Gosched()
					running.Add(-1)
				})
				cancel()
			}
		})
	}
	wg.Wait()
	if most.Load() > permits {
		t.Errorf("%d hashes ran at a time", most.Load())
	}
	for range permits * 4 {
		if err := p.Do(t.Context(), netip.Addr{}, true, func() {}); err != nil {
			t.Errorf("after all left: %v", err)
		}
	}
}

func TestPermits(t *testing.T) {
	t.Parallel()
	cores := max(1, runtime.GOMAXPROCS(0)-1)
	if got := password.Permits(phc.Default().Memory()); got != cores {
		t.Errorf("Permits of the default hash = %d, want %d", got, cores)
	}
	if got := password.Permits(1 << 40); got != 1 {
		t.Errorf("Permits of a huge hash = %d", got)
	}
}

// Two hundred callers at one permit stay within 64 MiB + 60 MiB under the soft limit that sweep's comment advises. It
// measures the process's heap, so nothing else may run beside it.
func TestR38_MemoryIsBoundedUnderAFlood(t *testing.T) { //nolint:paralleltest
	params, err := phc.ParseParams("argon2id:m=65536,t=1,p=1")
	if err != nil {
		t.Fatal(err)
	}
	before := debug.SetMemoryLimit(104 << 20)
	defer debug.SetMemoryLimit(before)
	p := password.NewPool(1, 0)
	encoded := phc.Dummy(params)
	var most atomic.Uint64
	var refused atomic.Int32
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			source := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
			err := p.Do(t.Context(), source, false, func() {
				_, _ = phc.Verify(encoded, []byte("password"))
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapSys-m.HeapReleased))
			})
			if err != nil {
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if refused.Load() == 0 {
		t.Error("nobody was refused")
	}
	if limit := uint64(64+60) << 20; most.Load() > limit {
		t.Errorf("%d MiB in use, want at most %d", most.Load()>>20, limit>>20)
	}
}

// The pool must cost nothing: compare pool with bare (CPU a login at most 1.03 of the bare hash).
func BenchmarkHash(b *testing.B) {
	params := phc.Default()
	verify := func() { _, _ = phc.Verify(phc.Dummy(params), []byte("password")) }
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			verify()
		}
	})
	b.Run("pool", func(b *testing.B) {
		p := password.NewPool(1, 0)
		for b.Loop() {
			if err := p.Do(b.Context(), netip.Addr{}, false, verify); err != nil {
				b.Fatal(err)
			}
		}
	})
}
