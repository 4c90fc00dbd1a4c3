package memory

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/store"
)

type counters struct{ *Store }

// counter is the moment at which a bucket is full again.
type counter = time.Time

// Counters is part of store.Volatile.
func (s *Store) Counters() store.Counters { return counters{s} }

func (s counters) Take(ctx context.Context, key string, r store.Rate, now time.Time) (a store.Allowance, err error) {
	err = s.lose(ctx, func() error {
		var next counter
		if next, a = r.Step(s.volatile.counters[key], now); a.OK {
			s.volatile.counters[key] = micros(next)
		}
		return nil
	})
	return a, err
}

func (s counters) Refund(ctx context.Context, key string, r store.Rate, now time.Time) error {
	return s.lose(ctx, func() error {
		state, ok := s.volatile.counters[key]
		if !ok || !now.Before(state) {
			return nil
		}
		next := r.Back(state)
		if next.Before(now) {
			next = now
		}
		s.volatile.counters[key] = micros(next)
		return nil
	})
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
			if n < limit && state.Before(micros(t)) {
				delete(s.volatile.counters, key)
				n++
			}
		}
		return nil
	})
	return n, err
}
