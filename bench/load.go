package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// conn is a cheap HTTP/1.1 client: the requests are bytes that were made before, and of an answer only what is needed is
// read. So the generator costs little and the same for every row.
type conn struct {
	net.Conn
	r *bufio.Reader
}

func dial(addr string) (*conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 8<<10)}, nil
}

// roundTrip sends raw and returns status and body; the body is valid until the next call.
func (c *conn) roundTrip(raw []byte) (status int, body []byte, err error) {
	if _, err = c.Write(raw); err != nil {
		return 0, nil, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, errors.New("short status line")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, err
	}
	length := 0
	for {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(string(v)))
		}
	}
	body = make([]byte, length)
	_, err = io.ReadFull(c.r, body)
	return status, body, err
}

func get(host, path string, header ...string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + headers(header) + "\r\n")
}

func post(host, path, body string, header ...string) []byte {
	return []byte("POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n" + headers(header) + "\r\n" + body)
}

func headers(list []string) string {
	var b strings.Builder
	for _, h := range list {
		b.WriteString(h + "\r\n")
	}
	return b.String()
}

// rate sends the same request over conns connections for d and returns answers per second. Every answer must have the
// wanted status.
func rate(addr string, raw []byte, conns int, d time.Duration, want int) (float64, error) {
	return chains(addr, conns, d, func(int) step {
		return func(c *conn) error {
			status, body, err := c.roundTrip(raw)
			if err == nil && status != want {
				err = fmt.Errorf("got %d, want %d: %s", status, want, body)
			}
			return err
		}
	})
}

// step is one request of a chain; chains runs n of them side by side, each over its own connection.
type step func(c *conn) error

func chains(addr string, n int, d time.Duration, make func(i int) step) (float64, error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	var failed error
	total := 0
	start := time.Now()
	for i := range n {
		group.Go(func() {
			count, err := runChain(addr, make(i), start.Add(d))
			mu.Lock()
			defer mu.Unlock()
			total += count
			failed = errors.Join(failed, err)
		})
	}
	group.Wait()
	return float64(total) / time.Since(start).Seconds(), failed
}

func runChain(addr string, s step, until time.Time) (int, error) {
	c, err := dial(addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	n := 0
	for time.Now().Before(until) {
		if err := s(c); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// percentile of durations.
func percentile(list []time.Duration, p float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// bareHandler is the ceiling: what any handler of net/http costs that answers with a few bytes.
var bareHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", "12")
	_, _ = io.WriteString(w, `{"ok": true}`)
})
