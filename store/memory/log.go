package memory

import (
	"context"
	"time"

	"github.com/ostiary/ostiary/store"
)

type log struct{ view }

func (s log) Append(ctx context.Context, e ...store.Entry) error { return s.append(ctx, e) }

func (d *data) append(entries []store.Entry) {
	head := d.head[struct{}{}]
	for _, e := range entries {
		head.Seq++
		e.Seq, e.ExpiresAt = head.Seq, micros(e.ExpiresAt)
		put(d, d.log, e.Seq, e)
	}
	put(d, d.head, struct{}{}, head)
}

func (s log) After(ctx context.Context, seq int64, limit int) (found []store.Entry, head store.Position, err error) {
	err = s.step(ctx, func(d *data) error {
		head = d.head[struct{}{}]
		if limit > 0 {
			found = sorted(d.log, limit, func(e store.Entry) bool { return e.Seq > seq })
		}
		return nil
	})
	return found, head, err
}

func (s log) Has(ctx context.Context, kind store.Kind, hash [16]byte) (found bool, err error) {
	err = s.step(ctx, func(d *data) error {
		for _, e := range d.log {
			found = found || e.Kind == kind && e.Hash == hash
		}
		return nil
	})
	return found, err
}

func (s log) Restart(ctx context.Context) error {
	return s.step(ctx, func(d *data) error {
		head := d.head[struct{}{}]
		head.Incarnation = incarnation()
		put(d, d.head, struct{}{}, head)
		trim(d, d.log, len(d.log), func(store.Entry) bool { return true })
		return nil
	})
}

func (s log) Trim(ctx context.Context, at time.Time, limit int) (n int, err error) {
	err = s.step(ctx, func(d *data) error {
		n = trim(d, d.log, limit, func(e store.Entry) bool { return e.ExpiresAt.Before(micros(at)) })
		return nil
	})
	return n, err
}
