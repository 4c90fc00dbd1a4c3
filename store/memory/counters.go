package memory

import (
	"context"
	"slices"
	"time"

	"github.com/ostiary/ostiary/store"
)

type counters struct{ *Store }

// counter holds the moments at which the buckets of a key are full again.
type counter = []time.Time

// Counters is part of store.Volatile.
func (s *Store) Counters() store.Counters { return counters{s} }

func (s counters) Take(ctx context.Context, key string, now time.Time, rates ...store.Rate) (a store.Allowance, err error) {
	err = s.lose(ctx, func() error {
		var next counter
		if next, a = store.Steps(rates, s.volatile.counters[key], now); a.OK {
			s.volatile.counters[key] = allMicros(next)
		}
		return nil
	})
	return a, err
}

func (s counters) Refund(ctx context.Context, key string, now time.Time, rates ...store.Rate) error {
	return s.lose(ctx, func() error {
		if state, ok := s.volatile.counters[key]; ok {
			s.volatile.counters[key] = allMicros(store.Backs(rates, state, now))
		}
		return nil
	})
}

func allMicros(c counter) counter {
	for i := range c {
		c[i] = micros(c[i])
	}
	return c
}

func (s counters) Reset(ctx context.Context, key string) error {
	return s.lose(ctx, func() error {
		delete(s.volatile.counters, key)
		return nil
	})
}

func (s counters) Sweep(ctx context.Context, t time.Time, limit int) (n int, err error) {
	err = s.lose(ctx, func() error {
		for key, state := range s.volatile.counters {
			if n < limit && slices.MaxFunc(state, time.Time.Compare).Before(micros(t)) {
				delete(s.volatile.counters, key)
				n++
			}
		}
		return nil
	})
	return n, err
}
