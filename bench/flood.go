package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// starts measures how soon the product answers on an existing database, what it needs when nobody asks, and its size.
func starts(s settings) error {
	b, err := buildBinary()
	if err != nil {
		return err
	}
	defer b.close()
	if _, err := b.start(); err != nil {
		return err
	}
	if err := b.stop(); err != nil {
		return err
	}
	ready, idle := &series{}, &series{}
	for range 2*s.rounds + 1 {
		took, err := b.start()
		if err != nil {
			return err
		}
		ready.add(float64(took.Milliseconds()))
		time.Sleep(s.each)
		idle.add(b.memory("VmRSS"))
		if err := b.stop(); err != nil {
			return err
		}
	}
	info, err := os.Stat(b.path)
	if err != nil {
		return err
	}
	fmt.Printf("| | median | aim |\n|---|---|---|\n| ready after start, existing database | %.0f ms | ≤ 60 ms |\n", median(ready.vals))
	fmt.Printf("| idle memory (RSS) | %.1f MiB | ≤ 30 MiB |\n| static binary | %.1f MiB | ≤ 30 MiB |\n", median(idle.vals), float64(info.Size())/(1<<20))
	return nil
}

// floodSize is how many callers want to sign in at once.
const floodSize = 200

// flood measures memory under far more logins than can be hashed, and how long others wait meanwhile.
func flood(s settings) error {
	b, err := buildBinary()
	if err != nil {
		return err
	}
	defer b.close()
	if _, err := b.start(); err != nil {
		return err
	}
	defer b.kill()
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, benchAddress, benchPassword)
	c, err := dial(b.addr)
	if err != nil {
		return err
	}
	if err := expect(c, post(b.addr, "/api/v1/register", body), http.StatusCreated); err != nil {
		return err
	}
	quiet, err := waits(b, s.each)
	if err != nil {
		return err
	}
	var in, refused, other atomic.Int64
	done := make(chan struct{})
	var group sync.WaitGroup
	for range floodSize {
		group.Go(func() { floodOne(b, body, done, &in, &refused, &other) })
	}
	time.Sleep(s.each)
	busy, err := waits(b, 3*s.each)
	close(done)
	group.Wait()
	if err != nil {
		return err
	}
	fmt.Printf("| | |\n|---|---|\n| callers | %d |\n| signed in / refused at once with 503 / other | %d / %d / %d |\n", floodSize, in.Load(), refused.Load(), other.Load())
	fmt.Printf("| peak memory (RSS) | %.0f MiB (aim ≤ permits × 64 + 60) |\n", b.memory("VmHWM"))
	fmt.Printf("| GET /readyz (no hash, reads the store), p50 / p99 quiet | %s / %s |\n", percentile(quiet, 0.5).Round(10*time.Microsecond), percentile(quiet, 0.99).Round(10*time.Microsecond))
	fmt.Printf("| the same during the flood | %s / %s (aim p99 < 50 ms) |\n", percentile(busy, 0.5).Round(10*time.Microsecond), percentile(busy, 0.99).Round(10*time.Microsecond))
	return nil
}

func floodOne(b *binary, body string, done <-chan struct{}, in, refused, other *atomic.Int64) {
	c, err := dial(b.addr)
	if err != nil {
		other.Add(1)
		return
	}
	defer c.Close()
	raw := post(b.addr, "/api/v1/login", body)
	for {
		select {
		case <-done:
			return
		default:
		}
		switch status, _, err := c.roundTrip(raw); {
		case err != nil:
			other.Add(1)
			return
		case status == http.StatusOK:
			in.Add(1)
		case status == http.StatusServiceUnavailable:
			refused.Add(1)
			time.Sleep(50 * time.Millisecond) // less polite than Retry-After asks
		default:
			other.Add(1)
		}
	}
}

// waits collects how long requests take that need no hash: every 5 ms one that reads the store.
func waits(b *binary, d time.Duration) ([]time.Duration, error) {
	c, err := dial(b.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	raw := get(b.addr, "/readyz")
	var list []time.Duration
	for until := time.Now().Add(d); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		began := time.Now()
		if err := expect(c, raw, http.StatusOK); err != nil {
			return nil, err
		}
		list = append(list, time.Since(began))
	}
	return list, nil
}
