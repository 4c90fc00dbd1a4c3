package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/ostiary/ostiary/store"
)

type counters struct{ view }

func (s counters) Take(ctx context.Context, key string, r store.Rate, now time.Time) (store.Allowance, error) {
	var answer store.Allowance
	err := s.change(ctx, key, func(state time.Time, _ bool) (time.Time, bool) {
		var next time.Time
		next, answer = r.Step(state, now)
		return next, answer.OK
	})
	if err != nil {
		return store.Allowance{}, err
	}
	return answer, nil
}

func (s counters) Refund(ctx context.Context, key string, r store.Rate, now time.Time) error {
	return s.change(ctx, key, func(state time.Time, exists bool) (time.Time, bool) {
		next := r.Back(state)
		if next.Before(now) {
			next = now
		}
		return next, exists && next.Before(state)
	})
}

func (s counters) Reset(ctx context.Context, key string) error {
	_, err := s.exec(ctx, `DELETE FROM counters WHERE name = ?`, key)
	return err
}

func (s counters) Sweep(ctx context.Context, t time.Time, limit int) (int, error) {
	const query = `DELETE FROM counters WHERE name IN (SELECT name FROM (
		SELECT name FROM counters WHERE state < ? LIMIT ?) AS full_again)`
	return s.trim(ctx, query, t, limit)
}

// change moves a counter by compare-and-swap, again until nobody was faster. step may be called more than once and says
// whether its state is to be stored.
func (s counters) change(ctx context.Context, key string, step func(time.Time, bool) (time.Time, bool)) error {
	return s.backend.Write(ctx, func(c Conn) error {
		for {
			done, err := changeOnce(ctx, c, key, step)
			if err != nil || done {
				return err
			}
		}
	})
}

func changeOnce(ctx context.Context, c Conn, key string, step func(time.Time, bool) (time.Time, bool)) (bool, error) {
	const (
		query  = `SELECT state FROM counters WHERE name = ?`
		create = `INSERT INTO counters (name, state) VALUES (?, ?) ON CONFLICT DO NOTHING`
		update = `UPDATE counters SET state = ? WHERE name = ? AND state = ?`
	)
	var state time.Time
	err := one(ctx, c, query, func(scan Scan) error { return scan(timeColumn{&state}) }, key)
	exists := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	next, changed := step(state, exists)
	if !changed || exists && next.UnixMicro() == state.UnixMicro() {
		return true, nil
	}
	var n int64
	if exists {
		n, err = c.Exec(ctx, update, next.UnixMicro(), key, state.UnixMicro())
	} else {
		n, err = c.Exec(ctx, create, key, next.UnixMicro())
	}
	return n > 0, err
}
