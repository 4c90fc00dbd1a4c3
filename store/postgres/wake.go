package postgres

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
)

const channel = "ostiary_log"

// How a listener treats its connection: how long it believes a silent one, and how long it waits before the next.
const (
	silence   = 15 * time.Second
	answer    = 5 * time.Second
	firstWait = 100 * time.Millisecond
	lastWait  = 5 * time.Second
)

var errPooled = errors.New("listen for changes: behind a pooler that needs a direct URL")

// Wake listens on a connection of its own, and on another one when that is lost.
func (s *Store) Wake(ctx context.Context) (<-chan struct{}, error) {
	if s.direct == nil {
		return nil, errPooled
	}
	hints := make(chan struct{}, 1)
	go func() {
		defer close(hints)
		for wait := firstWait; ctx.Err() == nil; wait = min(2*wait, lastWait) {
			if listened := listen(ctx, s.direct, hints); listened {
				wait = firstWait
			}
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
		}
	}()
	return hints, nil
}

// listen passes hints on until the connection is lost, and says whether there was one.
func listen(ctx context.Context, config *pgx.ConnConfig, hints chan<- struct{}) bool {
	c, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return false
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), answer)
		defer cancel()
		_ = c.Close(ending)
	}()
	if _, err := c.Exec(ctx, `LISTEN `+channel); err != nil {
		return false
	}
	for {
		select { // also after connecting: something may have been missed
		case hints <- struct{}{}:
		default:
		}
		if !next(ctx, c) {
			return true
		}
	}
}

// next waits for a notification. A connection on which nothing comes is asked whether it still lives.
func next(ctx context.Context, c *pgx.Conn) bool {
	for {
		quiet, cancel := context.WithTimeout(ctx, silence)
		_, err := c.WaitForNotification(quiet)
		cancel()
		if err == nil {
			return true
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) || c.IsClosed() {
			return false
		}
		ping, cancel := context.WithTimeout(ctx, answer)
		err = c.Ping(ping)
		cancel()
		if err != nil {
			return false
		}
	}
}

func eof(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
