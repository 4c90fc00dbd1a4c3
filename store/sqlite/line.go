package sqlite

import (
	"context"
	"slices"
	"sync"
)

// line is where operations stand until it is their turn: a fair lock that knows whether somebody waits for it.
type line struct {
	mu      sync.Mutex
	taken   bool
	closed  error
	members []*member
}

type member struct {
	called chan struct{} // closed when it is its turn, or when it is refused
	refuse error
}

// wait returns when it is the caller's turn. An error says that it never will be: ctx is over, or the line was refused.
func (l *line) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := l.enter()
	select {
	case <-m.called:
		return m.refuse
	case <-ctx.Done():
		return l.leave(ctx, m)
	}
}

func (l *line) enter() *member {
	m := &member{called: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil || !l.taken {
		l.taken, m.refuse = true, l.closed
		close(m.called)
		return m
	}
	l.members = append(l.members, m)
	return m
}

// leave gives up a place. Who was called in the same moment takes the turn: it notices by itself that ctx is over, and it
// is the one who has to hand the turn on.
func (l *line) leave(ctx context.Context, m *member) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.members, m)
	if i < 0 {
		return m.refuse
	}
	l.members = slices.Delete(l.members, i, i+1)
	return ctx.Err()
}

func (l *line) waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.members) > 0
}

// pass gives the turn to the next member. With nobody in line it frees the turn if it may, else it returns false and the
// caller keeps it.
func (l *line) pass(mayFree bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.members) == 0 {
		l.taken = !mayFree
		return mayFree
	}
	close(l.members[0].called)
	l.members = slices.Delete(l.members, 0, 1)
	return true
}

// refuse answers everybody who stands in line with err.
func (l *line) refuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.members {
		m.refuse = err
		close(m.called)
	}
	l.members = nil
}

// shut refuses everybody, now and later. The caller has the turn and keeps it.
func (l *line) shut(err error) {
	l.mu.Lock()
	l.closed = err
	l.mu.Unlock()
	l.refuse(err)
}
