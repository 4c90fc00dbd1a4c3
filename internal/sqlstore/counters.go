package sqlstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/store"
)

type counters struct{ view }

// Take looks before it writes: a refusal, which is what a flood gets, does not even wait for its turn to write.
func (s counters) Take(ctx context.Context, key string, now time.Time, rates ...store.Rate) (store.Allowance, error) {
	state, _, err := s.state(ctx, key)
	if err != nil {
		return store.Allowance{}, err
	}
	_, answer := store.Steps(rates, state, now)
	if !answer.OK {
		return answer, nil
	}
	err = s.change(ctx, key, func(state []time.Time, _ bool) ([]time.Time, bool) {
		var next []time.Time
		next, answer = store.Steps(rates, state, now)
		return next, answer.OK
	})
	if err != nil {
		return store.Allowance{}, err
	}
	return answer, nil
}

func (s counters) Refund(ctx context.Context, key string, now time.Time, rates ...store.Rate) error {
	return s.change(ctx, key, func(state []time.Time, exists bool) ([]time.Time, bool) {
		return store.Backs(rates, state, now), exists
	})
}

func (s counters) Reset(ctx context.Context, key string) error {
	_, err := s.exec(ctx, `DELETE FROM counters WHERE name = ?`, key)
	return err
}

func (s counters) Sweep(ctx context.Context, t time.Time, limit int) (int, error) {
	const query = `DELETE FROM counters WHERE name IN (SELECT name FROM (
		SELECT name FROM counters WHERE full_at < ? LIMIT ?) AS full_again)`
	return s.trim(ctx, query, t, limit)
}

func (s counters) state(ctx context.Context, key string) (state []time.Time, exists bool, err error) {
	err = s.backend.Read(ctx, func(c Conn) error {
		state, exists, err = readCounter(ctx, c, key)
		return err
	})
	return state, exists, err
}

func readCounter(ctx context.Context, c Conn, key string) (state []time.Time, exists bool, err error) {
	err = one(ctx, c, `SELECT state FROM counters WHERE name = ?`, func(scan Scan) error { return scan(timesColumn{&state}) }, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return state, err == nil, err
}

// change moves a counter by compare-and-swap, again until nobody was faster. step may be called more than once and says
// whether its state is to be stored.
func (s counters) change(ctx context.Context, key string, step func([]time.Time, bool) ([]time.Time, bool)) error {
	return s.backend.Step(ctx, func(c Conn) error {
		for {
			done, err := changeOnce(ctx, c, key, step)
			if err != nil || done {
				return err
			}
		}
	})
}

func changeOnce(ctx context.Context, c Conn, key string, step func([]time.Time, bool) ([]time.Time, bool)) (bool, error) {
	const (
		create = `INSERT INTO counters (name, state, full_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
		update = `UPDATE counters SET state = ?, full_at = ? WHERE name = ? AND state = ?`
	)
	state, exists, err := readCounter(ctx, c, key)
	if err != nil {
		return false, err
	}
	next, changed := step(state, exists)
	before, after := packTimes(state), packTimes(next)
	if !changed || exists && bytes.Equal(before, after) {
		return true, nil
	}
	full := slices.MaxFunc(next, time.Time.Compare).UnixMicro()
	var n int64
	if exists {
		n, err = c.Exec(ctx, update, after, full, key, before)
	} else {
		n, err = c.Exec(ctx, create, key, after, full)
	}
	return n > 0, err
}

// packTimes writes microseconds, 8 bytes each.
func packTimes(times []time.Time) []byte {
	b := make([]byte, 0, 8*len(times))
	for _, t := range times {
		b = binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro()))
	}
	return b
}

// timesColumn scans what packTimes wrote.
type timesColumn struct{ times *[]time.Time }

func (c timesColumn) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b)%8 != 0 {
		return fmt.Errorf("scan times: got %T of %d bytes", src, len(b))
	}
	*c.times = nil
	for ; len(b) > 0; b = b[8:] {
		*c.times = append(*c.times, time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC())
	}
	return nil
}
