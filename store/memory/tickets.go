package memory

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/store"
)

type tickets struct{ view }

func cloneTicket(t store.Ticket) store.Ticket {
	t.Data, t.ExpiresAt = list(t.Data), micros(t.ExpiresAt)
	return t
}

func (s tickets) Put(ctx context.Context, t store.Ticket) error {
	return s.step(ctx, func(d *data) error {
		if err := checkReferences(t.UserID); err != nil {
			return err
		}
		key := ticketKey{t.Kind, t.Hash}
		if _, taken := d.tickets[key]; taken {
			return store.ErrConflict
		}
		put(d, d.tickets, key, ticket{Ticket: cloneTicket(t)})
		return nil
	})
}

func (s tickets) Get(ctx context.Context, kind string, hash [32]byte) (t store.Ticket, err error) {
	err = s.step(ctx, func(d *data) error {
		found, ok := d.tickets[ticketKey{kind, hash}]
		if !ok || found.consumed {
			return store.ErrNotFound
		}
		t = cloneTicket(found.Ticket)
		return nil
	})
	return t, err
}

func (s tickets) Attempt(ctx context.Context, kind string, hash [32]byte) (n int, err error) {
	err = s.step(ctx, func(d *data) error {
		key := ticketKey{kind, hash}
		t, ok := d.tickets[key]
		if !ok || t.consumed {
			return store.ErrNotFound
		}
		t.Attempts++
		put(d, d.tickets, key, t)
		n = t.Attempts
		return nil
	})
	return n, err
}

func (s tickets) Consume(ctx context.Context, kind string, hash [32]byte) (t store.Ticket, err error) {
	err = s.step(ctx, func(d *data) error {
		key := ticketKey{kind, hash}
		found, ok := d.tickets[key]
		if !ok {
			return store.ErrNotFound
		}
		t = cloneTicket(found.Ticket)
		if found.consumed {
			return store.ErrUsed
		}
		found.consumed = true
		put(d, d.tickets, key, found)
		return nil
	})
	return t, err
}

func (s tickets) DeleteOf(ctx context.Context, userID, kind string) error {
	return s.step(ctx, func(d *data) error {
		if userID != "" {
			trim(d, d.tickets, len(d.tickets), func(t ticket) bool {
				return t.UserID == userID && (kind == "" || t.Kind == kind)
			})
		}
		return nil
	})
}

func (s tickets) Sweep(ctx context.Context, at time.Time, limit int) (n int, err error) {
	err = s.step(ctx, func(d *data) error {
		n = trim(d, d.tickets, limit, func(t ticket) bool { return t.ExpiresAt.Before(micros(at)) })
		return nil
	})
	return n, err
}
