package password

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// ErrBusy says that the pool's queue has no room. The error that wraps it is a *BusyError.
var ErrBusy = errors.New("password: too many hashes waiting")

// BusyError is ErrBusy with an estimate.
type BusyError struct {
	RetryAfter time.Duration // until the queue has been worked off; whole seconds, at least one
}

func (e *BusyError) Error() string { return fmt.Sprintf("%v: retry after %v", ErrBusy, e.RetryAfter) }

// Unwrap returns ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// The reference hash, by which permits are counted: 64 MiB and about an eighth of a second.
const (
	referenceMemory = 64 << 20
	firstEstimate   = 125 * time.Millisecond
	queuePerPermit  = 32 // a wait of about four seconds
)

// Pool bounds how many password hashes run at a time, and so CPU and memory under a flood (R38): whoever finds the queue
// full is told at once, and whoever waits is served in turn by source.
//
// There are two lines. Callers that we know (a device that signed in before, a session that proves itself again) have half
// of the permits, rounded down, and of the queue to themselves, and may use the rest when nobody else wants it. Strangers
// have the other half. With one permit there is one line.
type Pool struct {
	mu      sync.Mutex
	free    int
	known   line
	strange line
	average time.Duration // of one hash
}

// NewPool returns a pool of that many permits (0: Permits for the default hash) and places in the queue (0: 32 a permit).
func NewPool(permits, queue int) *Pool {
	if permits <= 0 {
		permits = Permits(referenceMemory)
	}
	if queue <= 0 {
		queue = queuePerPermit * permits
	}
	known := permits / 2
	room := queue * known / permits
	return &Pool{
		free:    permits,
		known:   line{share: known, room: room},
		strange: line{share: permits - known, room: queue - room},
		average: firstEstimate,
	}
}

// Permits returns how many hashes of that many bytes (phc.Params.Memory) may run at a time: one less than there are cores,
// fewer when they need more than 64 MiB each, at least one.
func Permits(memory int64) int {
	cores := runtime.GOMAXPROCS(0) - 1
	if memory > referenceMemory {
		cores = int(int64(cores) * referenceMemory / memory)
	}
	return max(1, cores)
}

// Do runs fn when its turn comes, in the caller's goroutine. Source is the address of the client; reserved says that the
// caller is known. A *BusyError: the queue has no room, fn did not run. The context's error: it ended before the turn
// came, fn did not run.
func (p *Pool) Do(ctx context.Context, source netip.Addr, reserved bool, fn func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.acquire(ctx, neighbourhood(source), reserved); err != nil {
		return err
	}
	start := time.Now()
	defer func() { p.release(reserved, time.Since(start)) }()
	fn()
	return nil
}

func (p *Pool) acquire(ctx context.Context, source netip.Prefix, reserved bool) error {
	p.mu.Lock()
	l := p.line(reserved)
	if p.free > 0 && l.waiting == 0 && p.may(l) {
		p.take(l)
		p.mu.Unlock()
		return nil
	}
	turn, ok := l.join(source)
	busy := &BusyError{RetryAfter: p.estimate()}
	p.mu.Unlock()
	if !ok {
		return busy
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		p.abandon(l, source, turn)
		return ctx.Err()
	}
}

// abandon leaves the queue, or gives back the permit that arrived at the same moment.
func (p *Pool) abandon(l *line, source netip.Prefix, turn chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.leave(source, turn) {
		return
	}
	l.running--
	p.free++
	p.serve()
}

func (p *Pool) release(reserved bool, took time.Duration) {
	sweep()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.average += (took - p.average) / 8
	p.line(reserved).running--
	p.free++
	p.serve()
}

// serve hands free permits to those who wait: first to the line that has less than its share, strangers never beyond it.
func (p *Pool) serve() {
	for p.free > 0 {
		l := &p.known
		if p.strange.waiting > 0 && p.may(&p.strange) && (l.waiting == 0 || l.running >= l.share) {
			l = &p.strange
		}
		if l.waiting == 0 {
			return
		}
		p.take(l)
		close(l.next())
	}
}

func (p *Pool) take(l *line) {
	p.free--
	l.running++
}

// may says whether a line may have a free permit: strangers keep out of the other line's share.
func (p *Pool) may(l *line) bool { return l == &p.known || l.running < l.share }

func (p *Pool) line(reserved bool) *line {
	if reserved && p.known.share > 0 {
		return &p.known
	}
	return &p.strange
}

func (p *Pool) estimate() time.Duration {
	waiting := p.known.waiting + p.strange.waiting + 1
	wait := p.average * time.Duration(waiting) / time.Duration(p.known.share+p.strange.share)
	return max(time.Second, wait.Round(time.Second))
}
