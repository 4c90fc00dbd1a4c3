package store

import (
	"slices"
	"time"
)

// Rate allows Burst units at once and refills one every Every. A rate whose Burst or Every is not positive allows nothing.
type Rate struct {
	Burst int
	Every time.Duration
}

// Allowance is the answer of a rate limit.
type Allowance struct {
	OK         bool
	Remaining  int           // units that could be taken now
	RetryAfter time.Duration // when not OK: until one unit is there
	Reset      time.Duration // until the bucket is full again
}

// Step is the arithmetic of GCRA, shared by all backends so that they cannot differ. State is the theoretical arrival time:
// the moment at which the bucket is full again. It returns the new state, which is to be stored only when the answer is OK.
// Backends keep the state to the microsecond, rounded down.
func (r Rate) Step(state, now time.Time) (time.Time, Allowance) {
	if r.Burst <= 0 || r.Every <= 0 {
		return state, Allowance{}
	}
	if state.Before(now) {
		state = now
	}
	next := state.Add(r.Every)
	window := time.Duration(r.Burst) * r.Every
	if wait := next.Sub(now) - window; wait > 0 {
		return state, Allowance{RetryAfter: wait, Reset: state.Sub(now)}
	}
	return next, Allowance{OK: true, Remaining: int((window - next.Sub(now)) / r.Every), Reset: next.Sub(now)}
}

// Back is the arithmetic of a refund.
func (r Rate) Back(state time.Time) time.Time { return state.Add(-r.Every) }

// Steps is [Rate.Step] for several rates at once: all must have room, or nothing is taken from any. states are in the
// order of rates; a missing one is that of a full bucket. The answer is that of the rate with the least room. No rate at
// all allows nothing.
func Steps(rates []Rate, states []time.Time, now time.Time) ([]time.Time, Allowance) {
	if len(rates) == 0 {
		return states, Allowance{}
	}
	next := make([]time.Time, len(rates))
	var answer Allowance
	for i, r := range rates {
		var one Allowance
		next[i], one = r.Step(stateOf(states, i), now)
		if i == 0 {
			answer = one
		} else {
			answer = answer.tighter(one)
		}
	}
	if answer.OK {
		return next, answer
	}
	answer.Remaining, answer.Reset = 0, 0
	for i := range rates {
		answer.Reset = max(answer.Reset, stateOf(states, i).Sub(now))
	}
	return states, answer
}

// Backs is the arithmetic of a refund to several rates, never beyond a full bucket.
func Backs(rates []Rate, states []time.Time, now time.Time) []time.Time {
	next := slices.Clone(states)
	for i := range min(len(rates), len(states)) {
		if !states[i].After(now) {
			continue
		}
		if next[i] = rates[i].Back(states[i]); next[i].Before(now) {
			next[i] = now
		}
	}
	return next
}

func stateOf(states []time.Time, i int) time.Time {
	if i < len(states) {
		return states[i]
	}
	return time.Time{}
}

// tighter joins the answers of two buckets of one key: a refusal wins, then the longer wait and the fewer units.
func (a Allowance) tighter(b Allowance) Allowance {
	return Allowance{
		OK: a.OK && b.OK, Remaining: min(a.Remaining, b.Remaining), RetryAfter: max(a.RetryAfter, b.RetryAfter), Reset: max(a.Reset, b.Reset),
	}
}
