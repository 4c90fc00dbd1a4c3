package password

import (
	"context"
	"io"
	"net/netip"
	"sync/atomic"
	"time"
)

// CountHashes returns a counter of the turns that a method takes in its pool: each is one hash that is made or compared.
func CountHashes(m *Method) *atomic.Int64 {
	counted := &counter{runner: m.pool}
	m.pool = counted
	return &counted.n
}

type counter struct {
	runner
	n atomic.Int64
}

func (c *counter) Do(ctx context.Context, source netip.Addr, reserved bool, fn func()) error {
	c.n.Add(1)
	return c.runner.Do(ctx, source, reserved, fn)
}

// Reserved returns what tells, for each turn taken from now on by one caller after another, whether it was a reserved one.
func Reserved(m *Method) func() []bool {
	spy := &reserved{runner: m.pool}
	m.pool = spy
	return func() []bool { return spy.turns }
}

type reserved struct {
	runner
	turns []bool
}

func (r *reserved) Do(ctx context.Context, source netip.Addr, reserved bool, fn func()) error {
	r.turns = append(r.turns, reserved)
	return r.runner.Do(ctx, source, reserved, fn)
}

// Occupy takes a permit of the method's pool until release is called.
func Occupy(ctx context.Context, m *Method, source netip.Addr) (release func()) {
	started, end := make(chan struct{}), make(chan struct{})
	go func() {
		_ = m.pool.Do(ctx, source, false, func() { close(started); <-end })
	}()
	<-started
	return func() { close(end) }
}

// Before runs f each time before a hash is made or compared.
func Before(m *Method, f func()) { m.pool = &before{m.pool, f} }

type before struct {
	runner
	f func()
}

func (b *before) Do(ctx context.Context, source netip.Addr, reserved bool, fn func()) error {
	b.f()
	return b.runner.Do(ctx, source, reserved, fn)
}

// Estimate scores a password in its normal form.
func Estimate(normal string, about ...string) (score int, hint string) {
	return estimate(normal, about)
}

// OccupyEstimators takes every place for an estimate until release is called.
func OccupyEstimators(m *Method) (release func()) {
	for range cap(m.estimators) {
		m.estimators <- struct{}{}
	}
	return func() {
		for range cap(m.estimators) {
			<-m.estimators
		}
	}
}

// Hasten gives a look-up less time.
func Hasten(r *Ranges, most time.Duration) { r.client.Timeout = most }

// InRange looks for a suffix among the lines of an answer.
func InRange(body io.Reader, suffix string) (bool, error) { return inRange(body, suffix) }
