package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ostiary/ostiary/store"
)

type messages struct{ view }

func cloneMessage(m store.Message) store.Message {
	m.Body, m.At, m.ExpiresAt = list(m.Body), micros(m.At), micros(m.ExpiresAt)
	return m
}

func (s messages) Enqueue(ctx context.Context, m ...store.Message) error {
	return s.step(ctx, func(d *data) error {
		seen := map[string]bool{}
		for _, r := range m {
			if err := checkIDs(r.ID); err != nil {
				return err
			}
			if _, taken := d.messages[r.ID]; taken || seen[r.ID] {
				return store.ErrConflict
			}
			seen[r.ID] = true
		}
		for _, r := range m {
			put(d, d.messages, r.ID, cloneMessage(r))
		}
		return nil
	})
}

func (s messages) Lease(ctx context.Context, now, until time.Time, limit int) (leased []store.Message, err error) {
	err = s.step(ctx, func(d *data) error {
		due := sorted(d.messages, 0, func(m store.Message) bool { return !m.At.After(micros(now)) })
		slices.SortStableFunc(due, func(a, b store.Message) int { return cmp.Compare(a.At.UnixMicro(), b.At.UnixMicro()) })
		for _, m := range due[:min(len(due), max(limit, 0))] {
			m.Attempts, m.At = m.Attempts+1, micros(until)
			put(d, d.messages, m.ID, m)
			leased = append(leased, cloneMessage(m))
		}
		return nil
	})
	return leased, err
}

func (s messages) Delay(ctx context.Context, id string, at time.Time) error {
	return s.step(ctx, func(d *data) error {
		if m, ok := d.messages[id]; ok {
			m.At = micros(at)
			put(d, d.messages, id, m)
		}
		return nil
	})
}

func (s messages) Done(ctx context.Context, id string) error {
	return s.step(ctx, func(d *data) error {
		drop(d, d.messages, id)
		return nil
	})
}

func (s messages) Count(ctx context.Context) (n int, err error) {
	err = s.step(ctx, func(d *data) error {
		n = len(d.messages)
		return nil
	})
	return n, err
}
