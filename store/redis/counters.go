package redis

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
)

type counters struct{ *Store }

// Counters is part of store.Volatile.
func (s *Store) Counters() store.Counters { return counters{s} }

// slack is how long a counter outlives its bucket's being full, for nodes whose clocks differ.
const slack = time.Minute

// Take is one script: it decides as store.Steps does, and the answer is calculated here from what it found.
func (s counters) Take(ctx context.Context, key string, now time.Time, rates ...store.Rate) (store.Allowance, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	text, err := s.scripts.count.Exec(ctx, s.client, []string{s.counterKey(key)}, arguments(now, rates)).ToString()
	if err != nil {
		return store.Allowance{}, fault("count", err)
	}
	states, err := parseStates(text)
	if err != nil {
		return store.Allowance{}, fault("count", err)
	}
	_, answer := store.Steps(rates, states, now)
	return answer, nil
}

func (s counters) Refund(ctx context.Context, key string, now time.Time, rates ...store.Rate) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	return fault("refund", s.scripts.refund.Exec(ctx, s.client, []string{s.counterKey(key)}, arguments(now, rates)).Error())
}

func (s counters) Reset(ctx context.Context, key string) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	return fault("reset counter", s.client.Do(ctx, s.client.B().Del().Key(s.counterKey(key)).Build().ToRetryable()).Error())
}

// Sweep has nothing to do: counters vanish by themselves.
func (s counters) Sweep(ctx context.Context, _ time.Time, _ int) (int, error) { return 0, ctx.Err() }

func arguments(now time.Time, rates []store.Rate) []string {
	us := now.UnixMicro()
	rest := now.Sub(time.UnixMicro(us))
	args := []string{strconv.FormatInt(us, 10), strconv.FormatInt(int64(rest), 10), strconv.FormatInt(slack.Milliseconds(), 10)}
	for _, r := range rates {
		args = append(args, strconv.Itoa(r.Burst), strconv.FormatInt(int64(r.Every), 10))
	}
	return args
}

func parseStates(text string) ([]time.Time, error) {
	var states []time.Time
	for field := range strings.FieldsSeq(text) {
		us, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return nil, err
		}
		states = append(states, time.UnixMicro(us).UTC())
	}
	return states, nil
}
