package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"time"
)

// What is promised of an attacked account, whatever the attacker owns: guesses of strangers on the first day, and on any day
// that follows.
const (
	boundFirstDay = 60
	boundLaterDay = 30
	boundMemory   = 8 << 20 // growth of the heap while one account is attacked, in bytes
	boundRow      = 600     // of the store in memory for each account of a spray, in bytes
)

const (
	siegeSources  = 10_000
	siegeDays     = 2
	siegeEach     = 40 // tries a minute
	sprayAccounts = 100_000
	spraySources  = 1_000
	sprayRounds   = 3
	sprayHours    = 6
)

// attack plays attacks on a clock that jumps, through the whole engine but with a secret that costs nothing to compare, and
// fails when a promise is broken.
func attack(settings) error {
	fmt.Println("| | | bound |\n|---|---|---|")
	return errors.Join(siege(), spray())
}

// siege is 10,000 sources against one account: half of them IPv4 networks, half of them addresses that rotate within IPv6
// /48s.
func siege() error {
	began := time.Now()
	t, err := newTown()
	if err != nil {
		return err
	}
	defer t.auth.Close()
	const victim = "ada@example.com"
	if err := t.moveIn(1, func(int) string { return victim }); err != nil {
		return err
	}
	owner := &visitor{town: t, source: netip.MustParseAddr("198.51.100.7")}
	owner.enters(victim)
	var known, away tally
	var guesses [siegeDays]int64
	before := heap()
	for minute := range siegeDays * 24 * 60 {
		seen := t.latch.guesses(victim)
		for i := range siegeEach {
			(&visitor{town: t, source: siegeSource(minute*siegeEach + i)}).guesses(victim)
		}
		guesses[minute/(24*60)] += t.latch.guesses(victim) - seen
		if minute%30 == 29 {
			known.add(owner.enters(victim))
			away.add((&visitor{town: t, source: netip.AddrFrom4([4]byte{198, 18, byte(minute >> 8), byte(minute)})}).enters(victim))
		}
		t.advance(time.Minute)
	}
	after := heap()
	grown := int64(after) - int64(before)
	fmt.Printf("| one account, %d sources, %d days: tries | %d | |\n", siegeSources, siegeDays, siegeDays*24*60*siegeEach)
	fmt.Printf("| guesses on the first day | %d | ≤ %d |\n| on the second | %d | ≤ %d |\n", guesses[0], boundFirstDay, guesses[1], boundLaterDay)
	fmt.Printf("| owner on a known device got in | %s | all |\n| on an unknown one | %s | |\n", known, away)
	fmt.Printf("| heap before / after | %.1f / %.1f MiB | + %d MiB |\n| took | %s | |\n", mib(before), mib(after), boundMemory>>20, time.Since(began).Round(100*time.Millisecond))
	return errors.Join(
		within("guesses on the first day", guesses[0], boundFirstDay), within("guesses on the second day", guesses[1], boundLaterDay),
		within("refusals of the owner", known.all-known.in, 0), within("growth of the heap", grown, boundMemory),
	)
}

func siegeSource(i int) netip.Addr {
	n := i % (siegeSources / 2)
	if i%2 == 0 {
		return netip.AddrFrom4([4]byte{11 + byte(n>>16), byte(n >> 8), byte(n), 9})
	}
	b := [16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 5: byte(n % 50), 6: byte(i >> 16), 7: byte(i >> 8), 15: byte(i)}
	return netip.AddrFrom16(b)
}

// spray is 1,000 sources that try a few secrets on each of 100,000 accounts.
func spray() error {
	began := time.Now()
	t, err := newTown()
	if err != nil {
		return err
	}
	defer t.auth.Close()
	if err := t.moveIn(spraySources, sprayAddress); err != nil {
		return err
	}
	owner := &visitor{town: t, source: netip.MustParseAddr("198.51.100.7")}
	owner.enters(sprayAddress(7))
	var known, away tally
	const tries = sprayRounds * sprayAccounts
	before := heap()
	most := int64(0) // guesses at one account within the window of the tighter tier
	for i := range tries {
		(&visitor{town: t, source: spraySource(i)}).guesses(sprayAddress(i % sprayAccounts))
		if i%(tries/100) == tries/200 {
			known.add(owner.enters(sprayAddress(7)))
			away.add((&visitor{town: t, source: spraySource(i)}).enters(sprayAddress(9)))
		}
		if i == tries/2 {
			most = t.bursts()
		}
		t.advance(sprayHours * time.Hour / tries)
	}
	after := heap()
	row := (int64(after) - int64(before)) / sprayAccounts
	worst := t.latch.worst()
	noticed := t.noticed()
	fmt.Printf("| spray, %d accounts, %d sources, %d hours: tries | %d | |\n", sprayAccounts, spraySources, sprayHours, tries)
	fmt.Printf("| guesses looked at; most at one account | %d; %d | ≤ %d |\n", t.latch.all(), worst, boundFirstDay)
	fmt.Printf("| most at one account in a burst during it | %d | ≤ 2 |\n| noticed | %t | true |\n", most, noticed)
	fmt.Printf("| owner on a known device got in | %s | all |\n| on an unknown one | %s | |\n", known, away)
	fmt.Printf("| heap before / after (counters are in the store, here in memory) | %.1f / %.1f MiB | %d bytes an account |\n| took | %s | |\n",
		mib(before), mib(after), boundRow, time.Since(began).Round(100*time.Millisecond))
	err = errors.Join(
		within("guesses at one account", worst, boundFirstDay), within("guesses in a burst", most, 2),
		within("refusals of the owner", known.all-known.in, 0), within("bytes an account", row, boundRow),
	)
	if !noticed {
		err = errors.Join(err, errors.New("nobody noticed the spray"))
	}
	return err
}

func sprayAddress(i int) string { return fmt.Sprintf("u%d@example.com", i) }

// spraySource spreads the tries over sources in different networks.
func spraySource(i int) netip.Addr {
	n := i % spraySources
	return netip.AddrFrom4([4]byte{11, byte(n >> 8), byte(n), 9})
}

// bursts tries ten times at each of 100 further accounts, each time from a new source, and returns the most guesses at one.
func (t *town) bursts() (most int64) {
	for i := range 100 {
		email := fmt.Sprintf("burst%d@example.com", i)
		for k := range 10 {
			(&visitor{town: t, source: netip.AddrFrom4([4]byte{12, byte(k), byte(i), 9})}).guesses(email)
		}
		most = max(most, t.latch.guesses(email))
	}
	return most
}

// tally counts who got in.
type tally struct{ in, all int64 }

func (t *tally) add(status int) {
	t.all++
	if status == http.StatusOK {
		t.in++
	}
}

func (t tally) String() string { return fmt.Sprintf("%d of %d", t.in, t.all) }

func within(what string, got, bound int64) error {
	if got > bound {
		return fmt.Errorf("%s: %d, above %d", what, got, bound)
	}
	return nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func mib(bytes uint64) float64 { return float64(bytes) / (1 << 20) }
