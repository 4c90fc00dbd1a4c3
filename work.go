package ostiary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/follow"
	"github.com/ostiary/ostiary/store"
)

const (
	upkeepEvery = time.Minute
	sweepBatch  = 500

	mailEvery    = 15 * time.Second // when nobody woke the worker: retries, and mails queued by other processes
	mailBatch    = 8
	mailLease    = 2 * time.Minute
	mailTimeout  = time.Minute
	mailLife     = 72 * time.Hour
	mailAttempts = 12
)

// start begins the background work.
func (a *Auth) start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	if a.cfg.Passive {
		return
	}
	a.background(func() { a.follower.Run(ctx, a.wakeups(ctx)) })
	a.background(func() { a.every(ctx, upkeepEvery, nil, a.upkeep) })
	a.background(func() { a.tellAlarms(ctx) })
	for _, p := range a.cfg.Parts {
		if w, ok := p.(Worker); ok {
			a.background(func() { w.Work(ctx) })
		}
	}
	if a.cfg.Mailer != nil {
		a.background(func() { a.every(ctx, mailEvery, a.mailWake, a.sendMail) })
	}
}

// wakeups are hints of the store that the log grew; nil where there are none.
func (a *Auth) wakeups(ctx context.Context) <-chan struct{} {
	w, ok := a.store.(store.Waker)
	if !ok {
		return nil
	}
	hints, err := w.Wake(ctx)
	if err != nil {
		a.log.Warn("the database does not say when something was revoked; it is asked instead", "every", follow.Every, "error", err)
	}
	return hints
}

func (a *Auth) background(f func()) {
	a.work.Add(1)
	go func() {
		defer a.work.Done()
		f()
	}()
}

// every runs f now, whenever somebody wakes it, and otherwise at an interval, until ctx ends.
func (a *Auth) every(ctx context.Context, interval time.Duration, wake <-chan struct{}, f func(ctx context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("background work will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
	}
}

// upkeep rotates signing keys, which is every node's own to load, and on one node removes what has expired.
func (a *Auth) upkeep(ctx context.Context) error {
	now := a.now()
	if a.policyAt.Swap(false) {
		a.reload()
	}
	_, err := a.rotator.Tick(ctx)
	a.follower.Revoked().Trim(now)
	mine, leaseErr := a.mine(ctx, now)
	if err = errors.Join(err, leaseErr); !mine {
		return err
	}
	return errors.Join(err, a.sweepAll(ctx, now))
}

// sweepAll removes what has expired, a bounded batch at a time.
func (a *Auth) sweepAll(ctx context.Context, now time.Time) error {
	return errors.Join(
		a.sweepSessions(ctx, now),
		a.sweep(ctx, "grants", func() (int, error) {
			return a.store.Grants().End(ctx, store.GrantQuery{Expired: now, Limit: sweepBatch})
		}),
		a.sweep(ctx, "tickets", func() (int, error) { return a.store.Tickets().Sweep(ctx, now, sweepBatch) }),
		a.sweep(ctx, "revocations", func() (int, error) { return a.store.Log().Trim(ctx, now, sweepBatch) }),
		a.sweep(ctx, "events", func() (int, error) { return a.store.Events().Trim(ctx, now.Add(-a.cfg.Events), sweepBatch) }),
		a.sweep(ctx, "counters", func() (int, error) { return a.volatile.Counters().Sweep(ctx, now, sweepBatch) }),
	)
}

// sweep removes batches until one is not full.
func (a *Auth) sweep(ctx context.Context, what string, batch func() (int, error)) error {
	for ctx.Err() == nil {
		n, err := batch()
		if err != nil {
			return fmt.Errorf("sweep %s: %w", what, err)
		}
		if n < sweepBatch {
			return nil
		}
	}
	return nil
}

// sweepSessions ends expired sessions as any other session ends, with what hangs on them (R16).
func (a *Auth) sweepSessions(ctx context.Context, now time.Time) error {
	return a.sweep(ctx, "sessions", func() (int, error) {
		list, err := a.volatile.Sessions().List(ctx, store.SessionQuery{Expired: now, Limit: sweepBatch})
		if err != nil || len(list) == 0 {
			return 0, err
		}
		return len(list), a.do(ctx, nil, func(t *Tx) error {
			for _, s := range list {
				if err := t.endSession(ctx, s, "expired"); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (a *Auth) wakeMail() {
	select {
	case a.mailWake <- struct{}{}:
	default:
	}
}

// sendMail delivers what is due. A slow mail server slows nothing but mail, and a crash loses none.
func (a *Auth) sendMail(ctx context.Context) error {
	for ctx.Err() == nil {
		now := a.now()
		due, err := a.store.Messages().Lease(ctx, now, now.Add(mailLease), mailBatch)
		if err != nil {
			return fmt.Errorf("lease mail: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		for _, m := range due {
			if err := a.sendOne(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Auth) sendOne(ctx context.Context, m store.Message) error {
	if a.now().After(m.ExpiresAt) || m.Attempts > mailAttempts {
		a.log.Error("a mail could not be delivered and was given up", "message", m.ID, "attempts", m.Attempts)
		return a.store.Messages().Done(ctx, m.ID)
	}
	err := a.deliverMail(ctx, m)
	switch {
	case err == nil:
		return a.store.Messages().Done(ctx, m.ID)
	case errors.Is(err, ErrUndeliverable):
		a.log.Error("a mail cannot be delivered", "message", m.ID, "error", err)
		return a.store.Messages().Done(ctx, m.ID)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	wait := min(time.Hour, 10*time.Second<<min(m.Attempts, 10))
	a.log.Warn("a mail will be tried again", "message", m.ID, "attempt", m.Attempts, "in", wait.String(), "error", err)
	return a.store.Messages().Delay(ctx, m.ID, a.now().Add(wait))
}

func (a *Auth) deliverMail(ctx context.Context, m store.Message) error {
	plain, err := a.cfg.Key.master.Open(messagePlace(m.ID), m.Body)
	if err != nil {
		return fmt.Errorf("open message: %w: %w", ErrUndeliverable, err)
	}
	var n Notice
	if err := json.Unmarshal(plain, &n); err != nil {
		return fmt.Errorf("read message: %w: %w", ErrUndeliverable, err)
	}
	if n.To == "" { // see MailNobody
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	return a.cfg.Mailer.Deliver(ctx, n)
}

const lifetimeRecord = "longest-token-lifetime"

// longestLifetime is the longest lifetime that a token of this store was ever given (R20).
func (a *Auth) longestLifetime() time.Duration { return time.Duration(a.longest.Load()) }

// keepLongestLifetime remembers across configurations how long tokens may still be around.
func (a *Auth) keepLongestLifetime(ctx context.Context) error {
	for {
		rec, err := a.store.Registry().Get(ctx, kindSetting, lifetimeRecord)
		if err != nil && !isNotFound(err) {
			return err
		}
		known, _ := strconv.ParseInt(string(rec.Data), 10, 64)
		a.longest.Store(max(known, int64(a.cfg.Tokens.Access)))
		if known >= int64(a.cfg.Tokens.Access) {
			return nil
		}
		err = a.store.Registry().Put(ctx, store.Record{
			Kind: kindSetting, ID: lifetimeRecord, Version: rec.Version, Data: strconv.AppendInt(nil, int64(a.cfg.Tokens.Access), 10),
		})
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}
