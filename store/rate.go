package store

import "time"

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
