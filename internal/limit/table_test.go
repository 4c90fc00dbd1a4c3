package limit_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ostiary/ostiary/internal/limit"
	"github.com/ostiary/ostiary/store"
)

var (
	start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	rate  = store.Rate{Burst: 3, Every: 20 * time.Second}
)

func TestTakeFollowsTheRate(t *testing.T) {
	t.Parallel()
	table, source := limit.New(0), netip.MustParseAddr("203.0.113.9")
	for _, c := range []struct {
		name string
		at   time.Duration
		want store.Allowance
	}{
		{"first", 0, store.Allowance{OK: true, Remaining: 2, Reset: 20 * time.Second}},
		{"second", 0, store.Allowance{OK: true, Remaining: 1, Reset: 40 * time.Second}},
		{"third", 0, store.Allowance{OK: true, Remaining: 0, Reset: 60 * time.Second}},
		{"fourth", 0, store.Allowance{RetryAfter: 20 * time.Second, Reset: 60 * time.Second}},
		{"too early", 19 * time.Second, store.Allowance{RetryAfter: time.Second, Reset: 41 * time.Second}},
		{"in time", 20 * time.Second, store.Allowance{OK: true, Remaining: 0, Reset: 60 * time.Second}},
		{"much later", time.Hour, store.Allowance{OK: true, Remaining: 2, Reset: 20 * time.Second}},
	} {
		got := table.Take("login", source, rate, start.Add(c.at))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestClassesAreCountedApart(t *testing.T) {
	t.Parallel()
	table, source := limit.New(0), netip.MustParseAddr("203.0.113.9")
	if n := taken(table, "login", source, 10); n != 3 {
		t.Errorf("login: %d", n)
	}
	if n := taken(table, "reset", source, 10); n != 3 {
		t.Errorf("reset: %d", n)
	}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	table, source := limit.New(0), netip.MustParseAddr("2001:db8::1")
	taken(table, "login", source, 3)
	table.Refund("login", source, rate, start)
	if n := taken(table, "login", source, 3); n != 1 {
		t.Errorf("after one refund %d were allowed, want 1", n)
	}
	for range 100 {
		table.Refund("login", source, rate, start)
	}
	if n := taken(table, "login", source, 10); n != 3 {
		t.Errorf("after many refunds %d were allowed, want a full bucket of 3", n)
	}
	table.Refund("login", netip.MustParseAddr("198.51.100.1"), rate, start)
	if n := taken(table, "login", netip.MustParseAddr("198.51.100.1"), 10); n != 3 {
		t.Errorf("a refund of nothing: %d were allowed", n)
	}
}

func TestRatesThatAreNotPositiveRefuse(t *testing.T) {
	t.Parallel()
	table := limit.New(0)
	for _, r := range []store.Rate{{}, {Burst: 1}, {Every: time.Second}, {Burst: -1, Every: time.Second}, {Burst: 1, Every: -1}} {
		if a := table.Take("x", netip.Addr{}, r, start); a.OK {
			t.Errorf("%+v allowed", r)
		}
		table.Refund("x", netip.Addr{}, r, start)
	}
	if a := table.Take("x", netip.MustParseAddr("::1"), store.Rate{Burst: 1, Every: 1}, start); !a.OK {
		t.Error("the smallest rate refused")
	}
}

// TestR37_Prefixes takes as much as possible from many addresses of one prefix.
func TestR37_Prefixes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		address func(i int) string
		want    int // multiple of the burst
	}{
		{"one IPv4 address", func(int) string { return "203.0.113.9" }, 1},
		{"the same, mapped to IPv6", func(i int) string { return []string{"203.0.113.9", "::ffff:203.0.113.9"}[i%2] }, 1},
		{"IPv4 /24", func(i int) string { return fmt.Sprint("203.0.113.", i%256) }, 16},
		{"one IPv6 address", func(int) string { return "2001:db8::1" }, 1},
		{"zones of an address", func(i int) string { return fmt.Sprintf("fe80::1%%eth%d", i) }, 1},
		{"IPv6 /64", func(i int) string { return fmt.Sprintf("2001:db8:1:1::%x", i) }, 1},
		{"IPv6 /56", func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i%256) }, 8},
		{"IPv6 /48", func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i) }, 64},
		{"two IPv4 /24", func(i int) string { return fmt.Sprintf("203.0.%d.%d", i%2, i/2%256) }, 32},
		{"IPv4-compatible is not IPv4", func(i int) string { return []string{"203.0.113.9", "::203.0.113.9"}[i%2] }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			table, n := limit.New(0), 0
			for i := range 1 << 16 {
				n += taken(table, "login", netip.MustParseAddr(c.address(i)), 1)
			}
			if n != c.want*rate.Burst {
				t.Errorf("%d were allowed, want %d", n, c.want*rate.Burst)
			}
		})
	}
}

func TestInvalidAddressesShareOneBucket(t *testing.T) {
	t.Parallel()
	if n := taken(limit.New(0), "login", netip.Addr{}, 10); n != 3 {
		t.Errorf("%d were allowed, want 3", n)
	}
}

// TestR37_RefusedTakesNothing: one address that is refused for long leaves its /24 to its neighbours.
func TestR37_RefusedTakesNothing(t *testing.T) {
	t.Parallel()
	table := limit.New(0)
	taken(table, "login", netip.MustParseAddr("203.0.113.0"), 10_000)
	n := 0
	for i := 1; i < 256; i++ {
		n += taken(table, "login", netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 3)
	}
	if n != 15*3 {
		t.Errorf("the neighbours were allowed %d, want %d", n, 15*3)
	}
}

// taken asks n times at the start and counts consents.
func taken(table *limit.Table, class string, source netip.Addr, n int) int {
	ok := 0
	for range n {
		if table.Take(class, source, rate, start).OK {
			ok++
		}
	}
	return ok
}
