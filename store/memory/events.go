package memory

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
)

type events struct{ view }

func cloneEvent(e store.Event) store.Event {
	e.At, e.Detail = micros(e.At), maps.Clone(e.Detail)
	if len(e.Detail) == 0 {
		e.Detail = nil
	}
	return e
}

func (s events) Record(ctx context.Context, recorded ...store.Event) error {
	return s.step(ctx, func(d *data) error {
		for _, e := range recorded {
			if err := checkIDs(e.ID, e.Subject, e.SessionID); err != nil {
				return err
			}
		}
		for _, e := range recorded {
			d.lastEvent++
			e.Seq = d.lastEvent
			put(d, d.events, e.Seq, cloneEvent(e))
		}
		return nil
	})
}

func (s events) List(ctx context.Context, q store.EventQuery) (found []store.Event, err error) {
	err = s.step(ctx, func(d *data) error {
		found = sorted(d.events, 0, func(e store.Event) bool { return matchEvent(e, q) })
		slices.Reverse(found)
		found = list(found[:min(len(found), page(q.Limit))])
		for i := range found {
			found[i] = cloneEvent(found[i])
		}
		return nil
	})
	return found, err
}

func matchEvent(e store.Event, q store.EventQuery) bool {
	return (q.Before <= 0 || e.Seq < q.Before) &&
		(q.Subject == "" || e.Subject == q.Subject) &&
		(q.Kind == "" || e.Kind == q.Kind || strings.HasSuffix(q.Kind, ".") && strings.HasPrefix(e.Kind, q.Kind))
}

func (s events) Trim(ctx context.Context, at time.Time, limit int) (n int, err error) {
	err = s.step(ctx, func(d *data) error {
		n = trim(d, d.events, limit, func(e store.Event) bool { return e.At.Before(micros(at)) })
		return nil
	})
	return n, err
}

func (s events) Erase(ctx context.Context, userID string) error {
	return s.step(ctx, func(d *data) error {
		if userID != "" {
			trim(d, d.events, len(d.events), func(e store.Event) bool { return e.Subject == userID })
		}
		return nil
	})
}
