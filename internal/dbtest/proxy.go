package dbtest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy is a network that can fail, between a store and its server.
type Proxy struct {
	Address string

	to       string
	listener net.Listener
	mu       sync.Mutex
	delay    time.Duration
	hole     chan struct{} // open while nothing gets through; nil: no hole
	open     map[net.Conn]bool
}

// NewProxy listens until the test ends.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: l.Addr().String(), to: to, listener: l, open: map[net.Conn]bool{}}
	var work sync.WaitGroup
	work.Go(p.serve)
	t.Cleanup(func() {
		l.Close()
		p.Pass()
		p.Cut()
		work.Wait()
	})
	return p
}

// Cut ends every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.Close()
	}
}

// Slow delays everything that is sent, in both directions.
func (p *Proxy) Slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Swallow lets nothing through, and tells nobody.
func (p *Proxy) Swallow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hole = make(chan struct{})
}

// Pass ends [Proxy.Swallow].
func (p *Proxy) Pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hole != nil {
		close(p.hole)
		p.hole = nil
	}
}

func (p *Proxy) serve() {
	var work sync.WaitGroup
	defer work.Wait()
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.open[client], p.open[server] = true, true
		p.mu.Unlock()
		work.Go(func() { p.carry(client, server) })
		work.Go(func() { p.carry(server, client) })
	}
}

func (p *Proxy) carry(from, to net.Conn) {
	defer func() {
		from.Close()
		to.Close()
		p.mu.Lock()
		delete(p.open, from)
		p.mu.Unlock()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		hole, delay := p.hole, p.delay
		p.mu.Unlock()
		if hole != nil {
			<-hole
		}
		if delay > 0 {
			time.Sleep(delay)
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
