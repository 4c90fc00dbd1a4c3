// Package storetest is the storage contract as one suite. Every backend runs all of it; none opts out of a part.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ostiary/ostiary/store"
)

// Open returns an empty store. It is closed by the test that asked for it (t.Cleanup).
type Open = func(t *testing.T) (store.Store, store.Volatile)

// racers is how many goroutines compete for a single win.
const racers = 32

// Run holds a backend to the contract.
func Run(t *testing.T, open func(t *testing.T) (store.Store, store.Volatile)) {
	durable := map[string]func(*testing.T, store.Store){
		"users":               testUsers,
		"user list":           testUserList,
		"user addresses":      testUserAddresses,
		"credentials":         testCredentials,
		"grants":              testGrants,
		"grant queries":       testGrantQueries,
		"rotate":              testRotate,
		"recover":             testRecover,
		"tickets":             testTickets,
		"log":                 testLog,
		"R19 log order":       testR19LogOrder,
		"events":              testEvents,
		"messages":            testMessages,
		"registry":            testRegistry,
		"do":                  testDo,
		"do ends abnormally":  testDoEndsAbnormally,
		"malformed ids":       testMalformedIDs,
		"cancelled":           testCancelled,
		"large and odd data":  testLargeAndOdd,
		"race rotate":         raceRotate,
		"race recover":        raceRecover,
		"race consume":        raceConsume,
		"race attempt":        raceAttempt,
		"race compare & swap": raceCompareAndSwap,
		"race unique values":  raceUnique,
		"race lease":          raceLease,
		"race append":         raceAppend,
	}
	for name, test := range durable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t)
			test(t, s)
		})
	}
	runVolatile(t, func(t *testing.T) store.Volatile {
		_, v := open(t)
		return v
	}, sweeps(1))
}

// RunVolatile holds a backend that keeps sessions and counters only to its part of the contract. Its counters may vanish by
// themselves, and then Sweep removes none.
func RunVolatile(t *testing.T, open func(t *testing.T) store.Volatile) {
	runVolatile(t, open, sweeps(0))
}

// sweeps is how many counters Sweep removes where one is due.
type sweeps int

func runVolatile(t *testing.T, open func(t *testing.T) store.Volatile, swept sweeps) {
	volatile := map[string]func(*testing.T, store.Volatile){
		"sessions":             testSessions,
		"session queries":      testSessionQueries,
		"counters":             func(t *testing.T, v store.Volatile) { testCounters(t, v, swept) },
		"counter rates":        func(t *testing.T, v store.Volatile) { testCounterRates(t, v, swept) },
		"race counters":        raceCounters,
		"race counter rates":   raceCounterRates,
		"volatile cancelled":   testVolatileCancelled,
		"volatile malformed":   testVolatileMalformed,
		"volatile ping answer": func(t *testing.T, v store.Volatile) { ok(t, v.Ping(t.Context())) },
	}
	for name, test := range volatile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// noon has microseconds, so that a backend that rounds is found out.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)

const tick = time.Microsecond

func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

func random16() (b [16]byte) {
	rand.Read(b[:])
	return b
}

func random32() (b [32]byte) {
	rand.Read(b[:])
	return b
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// fault wants an error that is no decision.
func fault(t *testing.T, err error) {
	t.Helper()
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUsed) {
		t.Fatalf("error is %v, want a fault", err)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Fatalf("difference (-want +got):\n%s", diff)
	}
}

// must returns the value of a call that has to succeed.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// race runs n calls at once and returns their errors.
func race(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			errs[i] = call(i)
		})
	}
	start.Done()
	done.Wait()
	return errs
}

// oneWinner wants one success and that all others were told so.
func oneWinner(t *testing.T, errs []error, losers error) {
	t.Helper()
	wins := 0
	for _, err := range errs {
		if err == nil {
			wins++
			continue
		}
		is(t, err, losers)
	}
	if wins != 1 {
		t.Fatalf("%d winners, want 1", wins)
	}
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
