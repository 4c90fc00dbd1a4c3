package password

import (
	"net/netip"
	"slices"
)

// line is one class of callers of a Pool: what it may use and who waits, in turn by source. The Pool's lock guards it.
type line struct {
	share   int // permits of its own
	room    int // places to wait
	running int
	waiting int
	turns   []*queue // sources with somebody waiting; the first is served next
}

// queue is who waits from one source, first come first.
type queue struct {
	source netip.Prefix
	turns  []chan struct{}
}

// join adds a place for a source. The first from a source is admitted while there is any room, more only while the line
// is less than half full: no source takes more than half, and a newcomer waits for at most one of each other source.
func (l *line) join(source netip.Prefix) (turn chan struct{}, ok bool) {
	i := l.find(source)
	if l.waiting >= l.room || i >= 0 && l.waiting >= l.room/2 {
		return nil, false
	}
	if i < 0 {
		i = len(l.turns)
		l.turns = append(l.turns, &queue{source: source})
	}
	turn = make(chan struct{})
	l.turns[i].turns = append(l.turns[i].turns, turn)
	l.waiting++
	return turn, true
}

// next removes who is to be served, and moves that source to the end.
func (l *line) next() chan struct{} {
	q := l.turns[0]
	turn := q.turns[0]
	q.turns = q.turns[1:]
	l.turns = l.turns[1:]
	if len(q.turns) > 0 {
		l.turns = append(l.turns, q)
	}
	l.waiting--
	return turn
}

// leave removes a place. It returns false when its turn had come.
func (l *line) leave(source netip.Prefix, turn chan struct{}) bool {
	i := l.find(source)
	if i < 0 {
		return false
	}
	q := l.turns[i]
	at := slices.Index(q.turns, turn)
	if at < 0 {
		return false
	}
	q.turns = slices.Delete(q.turns, at, at+1)
	if len(q.turns) == 0 {
		l.turns = slices.Delete(l.turns, i, i+1)
	}
	l.waiting--
	return true
}

func (l *line) find(source netip.Prefix) int {
	return slices.IndexFunc(l.turns, func(q *queue) bool { return q.source == source })
}

// neighbourhood is what one client can hold without effort: an IPv4 address, an IPv6 /64 (R37).
func neighbourhood(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 64
	if !a.Is6() {
		bits = a.BitLen()
	}
	prefix, _ := a.Prefix(bits) // the zero address stays the zero prefix: one source
	return prefix
}
